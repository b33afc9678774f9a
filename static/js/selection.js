// What is selected in a folder. It is kept while its pages are walked through, and forgotten with the tab.

import { size } from './figures.js';
import { element } from './dom.js';
import { boxOf, isFolder, keyOf, list, rows } from './rows.js';
import { word } from './strings.js';

// Keys, percent-encoded, with the bytes of each; folders end in a slash and have null.
let picked = new Map();
let place = null;
let anchor = null;

const slot = () => `selection:${place}`;
const bar = () => document.querySelector('[data-bulk]');
const scope = (value) => document.querySelector(`[data-bulk] input[name=scope][value=${value}]`);
const isMatch = () => scope('match')?.checked ?? false;

export const hasSelection = () => picked.size > 0 || isMatch();

function keep() {
  try {
    if (picked.size) sessionStorage.setItem(slot(), JSON.stringify([...picked]));
    else sessionStorage.removeItem(slot());
  } catch {
    // More than a browser keeps: the selection holds on this page, and "all that match" is the way for more.
  }
}

function recall() {
  const now = list()?.dataset.place;
  if (!now) return;
  if (now !== place) {
    place = now;
    anchor = null;
    picked = new Map(JSON.parse(sessionStorage.getItem(slot()) ?? '[]'));
  }
  draw();
}

function set(row, isOn) {
  const box = boxOf(row);
  if (isOn) picked.set(nameOf(row), isFolder(row) ? null : Number(box.dataset.size));
  else picked.delete(nameOf(row));
  box.checked = isOn;
  row.classList.toggle('is-picked', isOn);
}

// A folder and an object may have the same name, which ends in a slash.
const nameOf = (row) => `${boxOf(row).name}:${keyOf(row)}`;

function draw() {
  const all = rows();
  for (const row of all) {
    const isOn = picked.has(nameOf(row));
    boxOf(row).checked = isOn;
    row.classList.toggle('is-picked', isOn || isMatch());
  }
  drawBar(all);
}

function drawBar(all) {
  const here = all.filter((row) => boxOf(row).checked).length;
  const head = document.querySelector('[data-pick-page]');
  if (head) {
    head.checked = here > 0 && here === all.length;
    head.indeterminate = here > 0 && here < all.length;
  }
  bar()?.classList.toggle('is-open', hasSelection());
  const count = document.querySelector('[data-bulk-count]');
  if (count && picked.size) count.textContent = said(here);
}

function said(here) {
  const sizes = [...picked.values()];
  const folders = sizes.filter((bytes) => bytes === null).length;
  const values = { count: sizes.length, folders, elsewhere: sizes.length - here, size: size(sizes.reduce((sum, bytes) => sum + (bytes ?? 0), 0)) };
  const parts = [word('selected', values), values.size];
  if (folders) parts.push(word('selected-folders', values));
  if (values.elsewhere) parts.push(word('selected-elsewhere', values));
  return parts.join(' · ');
}

function changed() {
  keep();
  draw();
  document.dispatchEvent(new CustomEvent('selection:changed', { detail: { count: picked.size } }));
}

export function toggle(row) {
  if (!row) return false;
  set(row, !boxOf(row).checked);
  anchor = row;
  changed();
  return true;
}

// Everything between the row where a range began and this one.
export function range(row) {
  if (!row) return false;
  const all = rows();
  const from = Math.max(0, all.indexOf(anchor?.isConnected ? anchor : row));
  const to = all.indexOf(row);
  for (const one of all.slice(Math.min(from, to), Math.max(from, to) + 1)) set(one, true);
  anchor ??= row;
  changed();
  return true;
}

export function beginRange(row) {
  if (!anchor?.isConnected) anchor = row;
}

export function pickPage(isOn = true) {
  rows().forEach((row) => set(row, isOn));
  changed();
}

// The page first; when that is selected already, all that match.
export function pickMore() {
  const all = rows();
  if (!all.length) return false;
  const match = scope('match');
  if (all.every((row) => boxOf(row).checked) && match && !match.disabled) {
    match.checked = true;
    changed();
  } else pickPage();
  return true;
}

export function clear() {
  if (!hasSelection()) return false;
  picked.clear();
  anchor = null;
  const keys = scope('keys');
  if (keys) keys.checked = true;
  changed();
  return true;
}

// Keys of other pages are not in the form of this one.
function fill(event) {
  if (event.target.id !== 'rows') return;
  event.target.querySelectorAll('[data-elsewhere]').forEach((input) => input.remove());
  if (isMatch()) return;
  const here = new Set(rows().map(nameOf));
  for (const name of picked.keys()) {
    if (here.has(name)) continue;
    const at = name.indexOf(':');
    event.target.append(element('input', { type: 'hidden', name: name.slice(0, at), value: name.slice(at + 1), 'data-elsewhere': true }));
  }
  // A download leaves the page where it is; whatever else is asked for has its own page from here on.
  if (event.submitter?.value !== 'zip') sessionStorage.removeItem(slot());
}

function onClick(event) {
  if (event.target.closest('[data-bulk-clear]')) clear();
  const row = event.target.closest('.c-pick input')?.closest('tbody tr');
  if (!row) return;
  if (event.shiftKey && anchor?.isConnected) range(row);
  else {
    set(row, event.target.checked);
    anchor = row;
    changed();
  }
}

document.addEventListener('click', onClick);
document.addEventListener('submit', fill);
document.addEventListener('change', (event) => {
  if (event.target.matches('[data-pick-page]')) pickPage(event.target.checked);
  if (event.target.matches('[data-bulk] input[name=scope]')) draw();
});
for (const shown of ['htmx:afterSettle', 'page:shown']) document.addEventListener(shown, recall);
window.addEventListener('pageshow', recall);
recall();
