// Command and search: one field from every page to pages, buckets, places, jobs and keys.

import { element, icon } from './dom.js';
import { word } from './strings.js';

const WAITS_MS = 120;

let dialog = null;
let asked = null;
let timer = null;

function build() {
  const field = element('input', {
    type: 'text', id: 'command-field', role: 'combobox', autocomplete: 'off', spellcheck: 'false', maxlength: '1000',
    'aria-autocomplete': 'list', 'aria-expanded': 'true', 'aria-controls': 'command-list', 'aria-label': word('command-label'),
    placeholder: word('command-hint'), oninput: () => later(ask),
  });
  const close = element('button', { type: 'button', class: 'tool', 'aria-label': word('close'), onclick: () => dialog.close() }, icon('x'));
  const list = element('div', { class: 'command-list', id: 'command-list', role: 'listbox', 'aria-label': word('command-label') });
  const foot = element('div', { class: 'command-foot', 'aria-hidden': 'true' }, word('command-keys'));
  const said = element('p', { class: 'visually-hidden', role: 'status', id: 'command-said' });
  dialog = element('dialog', { class: 'command', id: 'command', 'aria-label': word('command-label') },
    element('div', { class: 'command-field' }, icon('search'), field, close), list, said, foot);
  dialog.addEventListener('keydown', onKey);
  dialog.addEventListener('close', () => asked?.abort());
  // A click beside the dialog lands on the dialog itself, which its content covers wholly.
  dialog.addEventListener('click', (event) => { if (event.target === dialog || event.target.closest('.command-item')) dialog.close(); });
  document.body.append(dialog);
}

function open() {
  if (!dialog) build();
  if (dialog.open) return;
  dialog.showModal();
  const field = dialog.querySelector('input');
  field.value = '';
  field.focus();
  ask();
}

function later(work) {
  clearTimeout(timer);
  timer = setTimeout(work, WAITS_MS);
}

async function ask() {
  asked?.abort();
  asked = new AbortController();
  const { signal } = asked;
  const list = dialog.querySelector('.command-list');
  const query = new URLSearchParams({ q: dialog.querySelector('input').value, here: location.pathname + location.search });
  list.setAttribute('aria-busy', 'true');
  try {
    const url = document.getElementById('command-button').getAttribute('href');
    const response = await fetch(`${url}?${query}`, { headers: { 'HX-Request': 'true' }, credentials: 'same-origin', signal });
    const gate = response.headers.get('HX-Redirect');
    if (gate) location.assign(gate);
    else if (response.ok) show(await response.text());
    else fail(word('failed', { status: response.status }));
  } catch (error) {
    if (error.name === 'AbortError') return;
    fail(word('offline'));
  }
  list.removeAttribute('aria-busy');
}

function show(html) {
  const results = new DOMParser().parseFromString(html, 'text/html').getElementById('command-results');
  const list = dialog.querySelector('.command-list');
  list.replaceChildren(...[...(results?.children ?? [])].map((group) => document.adoptNode(group)));
  const items = options();
  if (items.length) select(items[0]);
  else fail(word('command-none'));
  dialog.querySelector('#command-said').textContent = items.length ? word('command-found', { count: items.length }) : word('command-none');
}

function fail(text) {
  dialog.querySelector('.command-list').replaceChildren(element('p', { class: 'command-none', role: 'presentation' }, text));
  dialog.querySelector('input').removeAttribute('aria-activedescendant');
}

const options = () => [...dialog.querySelectorAll('[role="option"]')];
const selected = () => dialog.querySelector('[role="option"][aria-selected="true"]');

function select(item) {
  selected()?.setAttribute('aria-selected', 'false');
  item.setAttribute('aria-selected', 'true');
  item.scrollIntoView({ block: 'nearest' });
  dialog.querySelector('input').setAttribute('aria-activedescendant', item.id);
}

function move(step) {
  const items = options();
  if (items.length) select(items[(items.indexOf(selected()) + step + items.length) % items.length]);
}

function onKey(event) {
  // Nothing that is typed here is meant for the page behind.
  event.stopPropagation();
  if (event.isComposing) return;
  if (event.key === 'ArrowDown') move(1);
  else if (event.key === 'ArrowUp') move(-1);
  else if (event.key === 'Enter' && event.target.matches('input')) selected()?.click();
  else if (isDoor(event)) dialog.close();
  else return;
  event.preventDefault();
}

const isDoor = (event) => (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === 'k';

document.addEventListener('keydown', (event) => {
  if (!isDoor(event) || document.querySelector('dialog[open]')) return;
  event.preventDefault();
  open();
});
document.addEventListener('click', (event) => {
  const door = event.target.closest('#command-button');
  if (!door || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open();
});
