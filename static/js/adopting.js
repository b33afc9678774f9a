// A file for somebody's unfinished upload: compared with the parts that are there, then sent on as a job of ours.

import { ask } from './answers.js';
import { bytesOf, compare, listed } from './comparing.js';
import { element, icon } from './dom.js';
import { Sender } from './sender.js';
import { word } from './strings.js';
import { begin } from './uploads.js';
import { ComparingLine } from './waiting.js';

// One file at a time: of two only the first could go on.
async function chosen(place, file) {
  const button = place.querySelector('[data-continue-pick]');
  if (!file || button.disabled) return;
  button.disabled = true;
  await tried(place, file);
  button.disabled = false;
}

async function tried(place, file) {
  const said = place.querySelector('[data-continue-said]');
  try {
    const { parts, seen } = await ask('GET', `${place.dataset.digestsUrl}&size=${file.size}`);
    const found = await comparison(said, file, parts);
    if (found.differing.length) say(said, differ('', found.differing));
    else if (!found.doubtful.length || (await sendAgain(said, found.doubtful))) await goOn(place, said, file, { seen, compared: found.fitting });
  } catch (error) {
    if (error.name === 'AbortError') said.replaceChildren();
    else say(said, error.name === 'NotReadableError' ? word('unreadable') : error.message);
  }
}

function differ(name, numbers) {
  const key = numbers.length === 1 ? `${name}part-differs` : `${name}parts-differ`;
  return word(key, { number: listed(numbers), numbers: listed(numbers) });
}

async function comparison(said, file, parts) {
  const comparable = parts.filter((part) => part.crc64 || part.md5);
  if (!comparable.length) return { differing: [], doubtful: [], fitting: {} };
  const line = new ComparingLine(bytesOf(comparable));
  said.replaceChildren(line.root);
  const found = await compare(file, comparable, { signal: line.signal, onProgress: (done) => line.show(done) });
  said.replaceChildren();
  return found;
}

// An ETag that looks like an MD5 need not be one: the person decides whether these parts are sent anew.
function sendAgain(said, numbers) {
  return new Promise((resolve) => {
    const answer = (is) => () => {
      said.replaceChildren();
      resolve(is);
    };
    const again = element('button', { type: 'button', class: 'btn btn-sm btn-primary', onclick: answer(true) }, word('send-again'));
    const other = element('button', { type: 'button', class: 'btn btn-sm', onclick: answer(false) }, word('cancel'));
    said.replaceChildren(note(differ('doubtful-', numbers)), element('div', { class: 'btn-list' }, other, again));
    again.focus();
  });
}

async function goOn(place, said, file, known) {
  const body = { size: file.size, last_modified: file.lastModified, ...known };
  const state = await ask('POST', place.dataset.continueUrl, body);
  place.querySelector('[data-continue-pick]').hidden = true;
  said.replaceChildren(element('p', { class: 'mb-0', role: 'status' }, word('continued')));
  begin(new Sender({ file, key: state.key, state }));
}

function say(said, text) {
  said.replaceChildren(note(text));
}

function note(text) {
  return element('p', { class: 'waits-note', role: 'alert' }, icon('alert-circle'), text);
}

document.addEventListener('click', (event) => {
  event.target.closest('[data-continue-pick]')?.closest('[data-continue]').querySelector('input[type=file]').click();
});
document.addEventListener('change', (event) => {
  if (!event.target.matches('[data-continue] input[type=file]')) return;
  const [file] = event.target.files;
  event.target.value = '';
  chosen(event.target.closest('[data-continue]'), file);
});
