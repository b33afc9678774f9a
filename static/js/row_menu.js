// The menu of a row. There is one, and it is filled in for the row that it is opened for.

import { boxOf, keyOf, stand } from './rows.js';

let row = null;
let opener = null;

const menu = () => document.getElementById('row-menu');
const items = () => [...menu().querySelectorAll('[role=menuitem]')].filter((item) => !item.hidden);

function fill(next) {
  row = next;
  const kind = boxOf(row).name;
  for (const item of menu().querySelectorAll('[data-kind]')) {
    item.hidden = item.dataset.kind !== kind;
    if (item.dataset.url) item.href = item.dataset.url + keyOf(row);
  }
  const input = menu().querySelector('[data-row-key]');
  input.name = kind;
  input.value = keyOf(row);
  menu().querySelector('[data-row-name]').replaceChildren(row.querySelector('.row-name .key').cloneNode(true));
}

// Does what the menu of this row offers under that name, as a click would.
export function act(next, action) {
  if (!next || !menu()) return false;
  fill(next);
  const item = items().find((one) => one.dataset.action === action);
  item?.click();
  return Boolean(item);
}

export function openMenu(next, { x, y } = {}) {
  if (!next || !menu()) return false;
  fill(next);
  opener = document.activeElement;
  const box = (next.querySelector('.row-menu') ?? next).getBoundingClientRect();
  menu().hidden = false;
  const { offsetWidth: width, offsetHeight: height } = menu();
  menu().style.left = `${Math.max(8, Math.min(x ?? box.right - width, innerWidth - width - 8))}px`;
  menu().style.top = `${Math.max(8, Math.min(y ?? box.bottom, innerHeight - height - 8))}px`;
  items()[0]?.focus();
  return true;
}

function close({ isBack = false } = {}) {
  if (!menu() || menu().hidden) return;
  menu().hidden = true;
  if (!isBack) return;
  if (opener?.isConnected && opener !== document.body) opener.focus();
  else stand(row);
}

function onKey(event) {
  if (!menu() || menu().hidden) return;
  const all = items();
  const at = all.indexOf(document.activeElement);
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
  if (event.key === 'Escape' || event.key === 'Tab') close({ isBack: true });
  else if (next !== undefined) all.at(next % all.length)?.focus();
  else return;
  event.preventDefault();
}

function onClick(event) {
  const button = event.target.closest('.row-menu');
  if (button) openMenu(button.closest('tr'));
  else close();
}

function onContextMenu(event) {
  const here = event.target.closest('#object-list tbody tr');
  // On a link the browser's own menu opens it in a new tab; with Shift it is never in the way.
  if (!here || event.shiftKey || event.target.closest('a, button, input')) return;
  event.preventDefault();
  openMenu(here, { x: event.clientX, y: event.clientY });
}

// Before the keys of the page: an arrow inside the menu is not one for the list.
document.addEventListener('keydown', onKey, { capture: true });
document.addEventListener('click', onClick);
document.addEventListener('contextmenu', onContextMenu);
document.addEventListener('scroll', () => close(), { passive: true });
