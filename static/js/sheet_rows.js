// A window of rows of the upload sheet. Ten thousand rows at once would freeze the page.

import { element, icon } from './dom.js';
import { count, size } from './figures.js';
import { word } from './strings.js';
import { visibleKey } from './visible.js';

const SHOWN = 100;

export class SheetRows {
  #from = 0;
  #open = null;

  // `isPicked` says whether a file belongs to what is shown; `onEdit` is told when somebody changed one.
  constructor(dialog, { prefix, onEdit, onChoice }) {
    this.body = dialog.querySelector('[data-sheet-rows]');
    this.pages = dialog.querySelector('[data-sheet-pages]');
    this.region = dialog.querySelector('.sheet-rows');
    this.prefix = prefix;
    this.onEdit = onEdit;
    this.onChoice = onChoice;
    this.files = [];
  }

  show(files) {
    this.files = files;
    this.#from = Math.min(this.#from, Math.max(0, Math.floor((files.length - 1) / SHOWN) * SHOWN));
    this.draw();
  }

  turn(pages) {
    const next = this.#from + pages * SHOWN;
    if (next < 0 || next >= this.files.length) return;
    this.#from = next;
    this.draw();
    this.region.scrollTop = 0;
  }

  first() {
    this.#from = 0;
  }

  edit(file) {
    this.#open = file;
    this.draw();
    this.body.querySelector('.sheet-edit input')?.focus();
  }

  draw() {
    // Whoever stands in a row goes on standing there.
    const { activeElement } = document;
    if (this.body.contains(activeElement) && activeElement.matches('.sheet-edit input')) return;
    const at = this.body.contains(activeElement) ? activeElement.closest('[data-row]') : null;
    const focus = at && [at.dataset.row, activeElement.dataset.part];
    const shown = this.files.slice(this.#from, this.#from + SHOWN);
    this.body.replaceChildren(...shown.flatMap((file) => this.#row(file)));
    if (focus) this.body.querySelector(`[data-row="${focus[0]}"] [data-part="${focus[1]}"]`)?.focus();
    this.pages.hidden = this.files.length === 0;
    this.pages.querySelector('[data-sheet-range]').textContent = word('sheet-range', {
      from: count(this.#from + 1),
      to: count(this.#from + shown.length),
      total: count(this.files.length),
    });
    const [back, on] = this.pages.querySelectorAll('[data-turn]');
    back.hidden = this.files.length <= SHOWN;
    on.hidden = back.hidden;
    back.disabled = this.#from === 0;
    on.disabled = this.#from + SHOWN >= this.files.length;
  }

  #row(file) {
    const name = file.key.startsWith(this.prefix) ? file.key.slice(this.prefix.length) : file.key;
    const row = element(
      'tr',
      { 'data-row': file.id },
      element('th', { scope: 'row' }, visibleKey(name), file.isTypeOwn ? element('span', { class: 'sheet-type' }, file.type) : null),
      element('td', { class: 'c-size' }, size(file.size)),
      element('td', {}, element('span', { class: `sheet-state is-${file.state}` }, word(`sheet-${file.state}`)), this.#detail(file)),
      element('td', { class: 'sheet-do' }, this.#choice(file, name)),
      element('td', { class: 'sheet-pencil' }, this.#pencil(file, name)),
    );
    return this.#open === file ? [row, this.#editor(file)] : [row];
  }

  #detail(file) {
    const { answer } = file;
    const lines = [];
    if (file.problem) lines.push(file.problem);
    if (file.action === 'rename') lines.push(word('sheet-becomes', { name: file.better.slice(file.better.lastIndexOf('/') + 1) }));
    if (answer?.size !== undefined) {
      const modified = answer.modified ? new Date(answer.modified).toLocaleString(document.documentElement.lang) : '–';
      lines.push(word('sheet-there', { size: size(answer.size), modified }));
    }
    if (file.state === 'different' && answer.state === 'same-size' && !answer.crc64) lines.push(word('sheet-no-sum'));
    return lines.length ? element('p', { class: 'sheet-detail' }, lines.join(' ')) : null;
  }

  #choice(file, name) {
    if (file.actions.length === 0) return '';
    const options = file.actions.map((one) => element('option', { value: one, selected: one === file.action }, word(`sheet-do-${one}`)));
    if (!file.action) options.unshift(element('option', { value: '', selected: true }, word('sheet-do-ask')));
    const onchange = (event) => {
      file.choose(event.target.value);
      this.onChoice(file);
    };
    const css = `form-select form-select-sm${file.action ? '' : ' is-open'}`;
    return element('select', { class: css, 'data-part': 'choice', 'aria-label': word('sheet-do', { name }), onchange }, ...options);
  }

  #pencil(file, name) {
    const onclick = () => (this.#open === file ? this.#close() : this.edit(file));
    const said = { 'aria-label': word('sheet-edit', { name }), title: word('sheet-edit-short'), 'aria-expanded': String(this.#open === file) };
    return element('button', { type: 'button', class: 'tool', 'data-part': 'pencil', ...said, onclick }, icon('pencil'));
  }

  #close() {
    const { id } = this.#open;
    this.#open = null;
    this.draw();
    this.body.querySelector(`[data-row="${id}"] [data-part="pencil"]`)?.focus();
  }

  #editor(file) {
    const key = element('input', { class: 'form-control', value: file.key, 'aria-label': word('sheet-key'), spellcheck: 'false', autocomplete: 'off' });
    const type = element('input', { class: 'form-control', value: file.type, 'aria-label': 'Content-Type', spellcheck: 'false', autocomplete: 'off' });
    // Taken when the field is left, so that nothing typed is lost to a button elsewhere.
    key.addEventListener('change', () => key.value && this.onEdit(file, key.value));
    type.addEventListener('change', () => {
      file.type = type.value.trim();
      file.isTypeOwn = true;
    });
    const onkeydown = (event) => {
      // Enter belongs to these two fields here, and would otherwise begin the upload.
      if (event.key !== 'Enter' || event.target === button) return;
      event.preventDefault();
      event.target.blur();
      this.#close();
    };
    const button = element('button', { type: 'button', class: 'btn btn-sm', onclick: () => this.#close() }, word('sheet-done'));
    const field = (label, input) => element('label', {}, element('span', { class: 'form-label' }, label), input);
    const cell = element('td', { colspan: 5 }, element('div', { class: 'sheet-edit', onkeydown }, field(word('sheet-key'), key), field('Content-Type', type), button));
    return element('tr', { class: 'sheet-editor' }, cell);
  }
}
