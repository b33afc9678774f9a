// What the objects of a batch get: the form in the sheet, remembered for the next one, and checked by the console.

import { csrfToken } from './dom.js';
import { Refusal } from './answers.js';
import { word } from './strings.js';

// The typed word is a promise about this upload, not about the next one.
const NOT_REMEMBERED = ['public', 'csrfmiddlewaretoken'];

export class SheetOptions {
  constructor(dialog) {
    this.form = dialog.querySelector('form');
    this.box = dialog.querySelector('[data-sheet-options]');
    this.place = `upload-options:${dialog.dataset.person}`;
    this.exposing = this.box.dataset.exposing.split(' ').filter(Boolean);
    for (const [name, value] of Object.entries(remembered(this.place))) if (this.#field(name)) this.#field(name).value = value;
    this.box.addEventListener('input', () => this.draw());
    this.box.addEventListener('click', (event) => this.#onClick(event));
    this.draw();
  }

  get isUntouched() {
    return this.#chosen().length === 0;
  }

  draw() {
    this.box.querySelector('[data-sheet-public]').hidden = !this.exposing.includes(this.#field('acl').value);
    const shown = this.#chosen().filter((one) => one.name !== 'public').map((one) => one.labels[0].textContent);
    this.box.querySelector('[data-sheet-gets]').textContent = shown.length ? shown.join(', ') : word('sheet-nothing');
  }

  remember() {
    const kept = this.#chosen().filter((one) => !NOT_REMEMBERED.includes(one.name));
    localStorage.setItem(this.place, JSON.stringify(Object.fromEntries(kept.map((one) => [one.name, one.value]))));
  }

  // Returns {options, type}: what the console signed. Throws when it cannot be asked; null when a field is wrong.
  async check() {
    this.#showErrors({});
    if (this.isUntouched) return { options: '', type: '' };
    const fields = new FormData(this.form);
    // It is as old as the page, and would be looked at before the header.
    fields.delete('csrfmiddlewaretoken');
    let response;
    try {
      response = await fetch(this.form.action, {
        method: 'POST',
        headers: { Accept: 'application/json', 'X-CSRFToken': csrfToken() },
        body: new URLSearchParams(fields),
        credentials: 'same-origin',
      });
    } catch {
      throw new Refusal(0, { error: word('offline') });
    }
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    if (response.status !== 422) throw new Refusal(response.status, answer);
    this.#showErrors(answer.errors);
    return null;
  }

  #field(name) {
    return this.form.elements.namedItem(name);
  }

  #chosen() {
    return [...this.box.querySelectorAll('input, select, textarea')].filter((one) => one.value.trim() !== '');
  }

  #onClick(event) {
    const preset = event.target.closest('[data-preset]');
    if (preset) for (const [name, value] of Object.entries(JSON.parse(preset.dataset.preset))) this.#field(name).value = value;
    if (event.target.closest('[data-sheet-clear]')) for (const one of this.#chosen()) one.value = '';
    this.draw();
  }

  #showErrors(errors) {
    for (const place of this.box.querySelectorAll('[data-errors]')) {
      const found = errors[place.dataset.errors] ?? [];
      const field = place.dataset.errors === '__all__' ? null : this.#field(place.dataset.errors);
      place.hidden = found.length === 0;
      place.querySelector('span').textContent = found.join(' ');
      field?.classList.toggle('is-invalid', found.length > 0);
      field?.setAttribute('aria-invalid', String(found.length > 0));
      if (found.length) field?.setAttribute('aria-describedby', place.id);
    }
    if (!Object.keys(errors).length) return;
    this.box.open = true;
    const first = this.box.querySelector('.is-invalid') ?? this.box.querySelector('[data-errors]:not([hidden])');
    first?.focus();
    first?.scrollIntoView({ block: 'center' });
  }
}

function remembered(place) {
  try {
    return JSON.parse(localStorage.getItem(place)) ?? {};
  } catch {
    return {};
  }
}

export function hasRemembered() {
  const places = Object.keys(localStorage).filter((name) => name.startsWith('upload-options:'));
  return places.some((place) => Object.keys(remembered(place)).length > 0);
}
