// The breadcrumb as text: written like a path, whatever follows the last slash is the beginning of a name.

import { element } from './dom.js';
import { word } from './strings.js';

export function editPath() {
  const door = document.querySelector('[data-path-edit]');
  const crumbs = door?.closest('ol');
  if (!crumbs || crumbs.hidden) return false;
  const input = element('input', { class: 'form-control', 'aria-label': word('path'), spellcheck: 'false', autocomplete: 'off' });
  input.value = door.dataset.prefix;
  const before = input.value;
  const form = element('form', { class: 'path-form' }, input);
  const leave = () => {
    // A field that is taken away loses the focus, and would leave once more.
    input.removeEventListener('blur', leave);
    form.remove();
    crumbs.hidden = false;
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (input.value === before) leave();
    else location.assign(addressOf(door.dataset.url, input.value));
  });
  input.addEventListener('blur', leave);
  input.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    leave();
    door.focus();
  });
  crumbs.hidden = true;
  crumbs.after(form);
  input.focus();
  input.setSelectionRange(input.value.length, input.value.length);
  return true;
}

function addressOf(url, path) {
  const cut = path.lastIndexOf('/') + 1;
  const given = [['prefix', path.slice(0, cut)], ['find', path.slice(cut)]].filter(([, value]) => value);
  return given.length ? `${url}?${given.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')}` : url;
}

document.addEventListener('click', (event) => {
  if (event.target.closest('[data-path-edit]')) editPath();
});
