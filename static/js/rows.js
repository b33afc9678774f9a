// The rows of a list of objects: which one is meant, and walking from one to the next.

export const list = () => document.getElementById('object-list');
export const rows = () => [...document.querySelectorAll('#object-list tbody tr')];
export const boxOf = (row) => row.querySelector('.c-pick input');
export const isFolder = (row) => boxOf(row).name === 'folder';

// As it stands in addresses: percent-encoded.
export const keyOf = (row) => boxOf(row).value;

export function currentRow() {
  return document.activeElement.closest('#object-list tbody tr') ?? document.querySelector('#object-list tr.is-current');
}

export function rowOf(key) {
  return rows().find((row) => keyOf(row) === key && !isFolder(row)) ?? null;
}

export function mark(row) {
  document.querySelector('#object-list tr.is-current')?.classList.remove('is-current');
  row?.classList.add('is-current');
}

export function stand(row) {
  if (!row) return false;
  mark(row);
  row.querySelector('.row-name').focus({ preventScroll: true });
  row.scrollIntoView({ block: 'nearest' });
  return true;
}

// The row above or below; from nowhere, the first one. At an end it stays where it is.
export function step(by) {
  const row = currentRow();
  if (!row) return stand(rows()[0]);
  return stand((by > 0 ? row.nextElementSibling : row.previousElementSibling) ?? row);
}

// The buttons of a row that do nothing without a script.
function equip() {
  const tools = document.getElementById('row-tools')?.content;
  if (!tools) return;
  for (const row of rows()) {
    if (row.querySelector('.row-menu')) continue;
    const own = tools.cloneNode(true);
    if (isFolder(row)) own.querySelector('.row-info').remove();
    row.lastElementChild.append(own);
  }
}

for (const shown of ['htmx:afterSettle', 'page:shown']) document.addEventListener(shown, equip);
equip();
document.addEventListener('focusin', (event) => {
  const row = event.target.closest?.('#object-list tbody tr');
  if (row) mark(row);
});
