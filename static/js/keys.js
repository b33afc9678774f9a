// What keys do, in one place: any module adds its own with `bind`, and `?` shows them all.

import { element, icon } from './dom.js';
import { word } from './strings.js';

const OFF = 'keys:off';
const SEQUENCE_MS = 1500;
const TEXT = 'input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select, [contenteditable]';
const SIGNS = { ArrowUp: '↑', ArrowDown: '↓', Escape: 'Esc', Delete: 'Del', Backspace: '⌫', Control: 'Ctrl' };

const bindings = [];
let begun = { name: '', until: 0 };

// `keys` are names as `nameOf` makes them, two of them after each other for a sequence. `run` returns false when
// there is nothing to do, and the key keeps its meaning; `isOffered` says whether it is of use on this page.
export function bind(keys, label, run, { group = 'keys-anywhere', isOffered = () => true } = {}) {
  bindings.push({ keys, label, run, group, isOffered });
}

export const areKeysOn = () => localStorage.getItem(OFF) !== 'true';

function nameOf(event) {
  if (event.altKey) return '';
  const name = event.key === ' ' ? 'Space' : event.key;
  if (event.ctrlKey || event.metaKey) return `Control+${name.toLowerCase()}`;
  return event.shiftKey && name.length > 1 ? `Shift+${name}` : name;
}

function onKey(event) {
  const isBusy = event.defaultPrevented || event.isComposing || !areKeysOn();
  if (isBusy || event.target.closest?.(TEXT) || document.querySelector('dialog[open]')) return;
  const last = begun.until > performance.now() ? `${begun.name} ` : '';
  const name = nameOf(event);
  begun = { name: '', until: 0 };
  const found = bindings.filter((one) => one.keys.includes(last + name) && one.isOffered());
  if (found.some((one) => one.run(event) !== false)) event.preventDefault();
  else if (bindings.some((one) => one.keys.some((keys) => keys.startsWith(`${name} `)))) {
    begun = { name, until: performance.now() + SEQUENCE_MS };
  }
}

function keyboard(keys) {
  const drawn = keys.split(' ').flatMap((step) => step.split(/(?<=.)\+/)).map((name) => element('kbd', {}, SIGNS[name] ?? name));
  return element('span', { class: 'keys-combination' }, ...drawn);
}

function line({ keys, label }) {
  const shown = keys.flatMap((one, at) => (at ? [' / ', keyboard(one)] : [keyboard(one)]));
  return element('tr', {}, element('td', {}, ...shown), element('th', { scope: 'row' }, word(label)));
}

function table(group) {
  const lines = bindings.filter((one) => one.group === group && one.isOffered()).map(line);
  return element('table', { class: 'keys-table' }, element('caption', {}, word(group)), element('tbody', {}, ...lines));
}

export function showHelp() {
  const box = element('input', { type: 'checkbox', class: 'form-check-input', checked: areKeysOn() });
  box.addEventListener('change', () => localStorage.setItem(OFF, String(!box.checked)));
  const groups = [...new Set(bindings.filter((one) => one.isOffered()).map((one) => one.group))];
  const close = element('button', { type: 'button', class: 'notice-close', 'aria-label': word('close') }, icon('x'));
  const dialog = element(
    'dialog',
    { class: 'question keys-help', 'aria-labelledby': 'keys-title' },
    element('div', { class: 'keys-head' }, element('h2', { id: 'keys-title' }, word('keys-title')), close),
    element('div', { class: 'question-body' }, ...groups.map(table)),
    element('div', { class: 'question-foot' }, element('label', { class: 'form-check' }, box, element('span', { class: 'form-check-label' }, word('keys-on')))),
  );
  close.addEventListener('click', () => dialog.close());
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

// Follows the link of the page that leads there.
function follow(place) {
  const link = document.querySelector(`[data-go="${place}"]`);
  if (!link) return false;
  link.click();
  return true;
}

document.addEventListener('keydown', onKey);
document.addEventListener('click', (event) => {
  if (!event.target.closest('[data-keys-help]')) return;
  event.target.closest('details')?.removeAttribute('open');
  showHelp();
});
bind(['?'], 'keys-help', showHelp);
// Drawn here, acted upon in command.js, which works while typing, too.
bind(['Control+k'], 'keys-command', () => false);
// Uploads are jobs, and have no list of their own.
for (const [key, place, label] of [['b', 'b', 'keys-buckets'], ['u', 'j', 'keys-uploads'], ['j', 'j', 'keys-jobs'], ['a', 'a', 'keys-activity']]) {
  bind([`g ${key}`], label, () => follow(place), { isOffered: () => document.querySelector(`[data-go="${place}"]`) !== null });
}
