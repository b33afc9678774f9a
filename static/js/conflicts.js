// What to do with a key that is taken: one question at a time, and one answer for all on request.

import { element } from './dom.js';
import { size } from './figures.js';
import { word } from './strings.js';

export class Conflicts {
  #forAll = null;
  #line = Promise.resolve();

  // Answers 'replace', 'keep-both' or 'skip'.
  ask(key, exists) {
    const answer = this.#line.then(() => this.#forAll ?? this.#question(key, exists));
    this.#line = answer.catch(() => {});
    return answer;
  }

  #question(key, exists) {
    const changed = exists.modified ? new Date(exists.modified).toLocaleString(document.documentElement.lang) : '–';
    const all = element('input', { type: 'checkbox', class: 'form-check-input' });
    const text = word('exists', { key, size: size(exists.size), modified: changed });
    const button = (name, css) => element('button', { class: `btn ${css}`, value: name }, word(name));
    const dialog = element(
      'dialog',
      { class: 'question', 'aria-label': text },
      element(
        'form',
        { method: 'dialog' },
        element(
          'div',
          { class: 'question-body' },
          element('p', {}, text),
          element('label', { class: 'form-check mb-0' }, all, element('span', { class: 'form-check-label' }, word('same'))),
        ),
        element('div', { class: 'question-foot' }, button('skip', ''), button('keep-both', 'btn-primary'), button('replace', 'btn-danger')),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener('close', () => {
        // Escape closes without a value: the object that is there is left alone.
        const answer = dialog.returnValue || 'skip';
        if (all.checked) this.#forAll = answer;
        dialog.remove();
        resolve(answer);
      });
    });
  }
}

export function numbered(key, number) {
  const slash = key.lastIndexOf('/') + 1;
  const dot = key.lastIndexOf('.');
  const at = dot > slash ? dot : key.length;
  return `${key.slice(0, at)} (${number})${key.slice(at)}`;
}
