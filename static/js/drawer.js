// One object beside the list, on screens that are wide enough; elsewhere its own page.

import { element } from './dom.js';
import { currentRow, isFolder, keyOf, list, rowOf, rows, stand } from './rows.js';
import { word } from './strings.js';

const WIDE = matchMedia('(min-width: 64em)');

let shown = '';
let asked = null;

const drawer = () => document.getElementById('drawer');
const addressOf = (key) => `${list().dataset.detailUrl}?key=${key}`;

export const isOpen = () => Boolean(drawer() && !drawer().hidden);

// The address names the object that is open, so that it can be sent to somebody.
function remember(key) {
  const here = new URL(location.href);
  const query = here.search.replace(/^\?/, '').split('&').filter((pair) => pair && !pair.startsWith('open='));
  if (key) query.push(`open=${key}`);
  history.replaceState(history.state, '', here.pathname + (query.length ? `?${query.join('&')}` : ''));
}

export function open(row) {
  if (!row || isFolder(row)) return false;
  stand(row);
  return openKey(keyOf(row));
}

function openKey(key) {
  if (!WIDE.matches) {
    location.assign(addressOf(key));
    return true;
  }
  shown = key;
  drawer().hidden = false;
  drawer().querySelector('[data-drawer-page]').href = addressOf(key);
  remember(key);
  load(key);
  return true;
}

async function load(key) {
  asked?.abort();
  asked = new AbortController();
  const { signal } = asked;
  const box = document.getElementById('object-drawer');
  box.setAttribute('aria-busy', 'true');
  try {
    const answer = await fetch(addressOf(key), { headers: { 'HX-Request': 'true', 'HX-Target': 'object-drawer', Accept: 'text/html' }, signal });
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    if (signal.aborted) return;
    show(answer, page);
  } catch {
    if (!signal.aborted) fail(word('offline'));
  }
}

function show(answer, page) {
  if (answer.headers.get('HX-Redirect')) location.assign(answer.headers.get('HX-Redirect'));
  const found = page.getElementById('object-drawer');
  if (!answer.ok || !found) {
    fail(page.querySelector('.notice-text')?.textContent.trim() || word('failed', { status: answer.status }));
    return;
  }
  document.getElementById('object-drawer').replaceWith(document.adoptNode(found));
  window.htmx.process(found);
  drawer().focus({ preventScroll: true });
}

function fail(text) {
  const box = document.getElementById('object-drawer');
  box.removeAttribute('aria-busy');
  box.replaceChildren(element('p', { class: 'drawer-failed', role: 'alert' }, text));
}

export function close() {
  if (!isOpen()) return false;
  asked?.abort();
  const row = rowOf(shown);
  drawer().hidden = true;
  shown = '';
  document.getElementById('object-drawer').replaceChildren();
  remember('');
  stand(row);
  return true;
}

// The object after or before the one that is open, past all folders.
export function turn(by) {
  if (!isOpen()) return false;
  const all = rows().filter((row) => !isFolder(row));
  const at = all.findIndex((row) => keyOf(row) === shown);
  const next = at < 0 ? all[0] : all[at + by];
  return next ? open(next) : true;
}

export function openCurrent() {
  const row = currentRow();
  if (row && isOpen() && keyOf(row) === shown) return close();
  return open(row);
}

function onClick(event) {
  const info = event.target.closest('.row-info');
  if (info) open(info.closest('tr'));
  const by = event.target.closest('[data-drawer-step]')?.dataset.drawerStep;
  if (by) turn(Number(by));
  if (event.target.closest('[data-drawer-close]')) close();
}

function begin() {
  const key = drawer()?.dataset.open;
  if (!key || !list()) return;
  drawer().dataset.open = '';
  openKey(key);
}

document.addEventListener('click', onClick);
document.addEventListener('page:shown', begin);
// Another page of the list has another address; the object that is open stays in it.
document.addEventListener('htmx:pushedIntoHistory', () => isOpen() && remember(shown));
begin();
