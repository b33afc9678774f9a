// A list of objects under the keyboard. What each key does is written where it is done.

import { element } from './dom.js';
import { bind } from './keys.js';
import * as drawer from './drawer.js';
import { editPath } from './path.js';
import { act, openMenu } from './row_menu.js';
import { currentRow, list, stand, step } from './rows.js';
import * as selection from './selection.js';
import './unread.js';

const inList = (group) => ({ group, isOffered: () => list() !== null });

// Arrows scroll a page, unless somebody is in the list, or nowhere in particular.
function arrow(by) {
  const at = document.activeElement;
  if (at !== document.body && at.id !== 'main' && !at.closest('#object-list tbody')) return false;
  return step(by);
}

function extend(by) {
  const from = currentRow();
  if (!from) return step(by);
  selection.beginRange(from);
  step(by);
  return selection.range(currentRow());
}

function click(selector) {
  const found = document.querySelector(selector);
  found?.click();
  return found !== null;
}

// What is selected, and if nothing is, the row that somebody stands on.
function onSelected(action) {
  if (!selection.hasSelection()) return act(currentRow(), action);
  const button = document.querySelector(`[data-bulk] button[value=${action}]`);
  if (!button || button.disabled) return false;
  button.click();
  return true;
}

function find() {
  const input = document.getElementById('find');
  input?.focus();
  input?.select();
  return Boolean(input);
}

function upload() {
  const menu = document.querySelector('[data-upload] details');
  if (!menu) return false;
  menu.open = true;
  menu.querySelector('.menu-item').focus();
  return true;
}

// By a link, which does not leave the page while files are being sent from it.
function parent() {
  const url = list().dataset.parentUrl;
  if (!url) return false;
  const link = element('a', { href: url, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  return true;
}

const rows = inList('keys-rows');
bind(['ArrowDown', 'j'], 'keys-down', (event) => (event.key === 'j' ? step(1) : arrow(1)), rows);
bind(['ArrowUp', 'k'], 'keys-up', (event) => (event.key === 'k' ? step(-1) : arrow(-1)), rows);
bind(['Enter'], 'keys-open', () => false, rows);
bind(['Space', 'x'], 'keys-select', (event) => (event.key === ' ' && !document.activeElement.matches('.row-name') ? false : selection.toggle(currentRow())), rows);
bind(['Shift+ArrowDown'], 'keys-range-down', () => extend(1), rows);
bind(['Shift+ArrowUp'], 'keys-range-up', () => extend(-1), rows);
bind(['Control+a'], 'keys-all', () => selection.pickMore(), rows);
bind(['Escape'], 'keys-clear', () => drawer.close() || selection.clear(), rows);
bind(['.'], 'keys-menu', () => openMenu(currentRow()), rows);
bind(['p'], 'keys-preview', () => act(currentRow(), 'preview'), rows);
bind(['c'], 'keys-copy', () => onSelected('copy'), rows);
bind(['m'], 'keys-move', () => onSelected('move'), rows);
bind(['r'], 'keys-rename', () => act(currentRow(), 'rename'), rows);
bind(['Delete'], 'keys-delete', () => onSelected('delete'), rows);

const folder = inList('keys-folder');
bind(['/'], 'keys-find', find, folder);
bind(['[', ']'], 'keys-pages', (event) => click(event.key === '[' ? '#page-previous' : '#page-next'), folder);
bind(['Backspace', 'u'], 'keys-parent', parent, folder);
bind(['Control+l'], 'keys-path', editPath, folder);
bind(['n'], 'keys-folder-new', () => click('[data-folder-new]'), folder);
bind(['U'], 'keys-upload', upload, folder);

const panel = inList('keys-drawer');
bind(['i'], 'keys-info', drawer.openCurrent, panel);
bind(['J', 'K'], 'keys-turn', (event) => drawer.turn(event.key === 'J' ? 1 : -1), panel);

// A link that htmx follows is gone with its page: whoever was in the list stands on the first row of the next one.
document.addEventListener('htmx:afterSettle', (event) => {
  const at = document.activeElement;
  const wasInList = at === document.body || at.closest('#object-list tbody');
  if (event.target.id === 'object-list' && wasInList) stand(document.querySelector('#object-list tbody tr'));
});
