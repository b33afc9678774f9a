// Uploads whose page was closed: they wait for their file, which is compared with what is stored already
// before the rest is sent.

import { ask } from './answers.js';
import { bytesOf, compare, listed } from './comparing.js';
import { element, icon } from './dom.js';
import { percent, size } from './figures.js';
import { Sender } from './sender.js';
import { openTray } from './shell.js';
import { word } from './strings.js';
import { toast } from './toasts.js';
import { begin, owns } from './uploads.js';

const OPEN_STATES = ['queued', 'running', 'paused', 'parked'];
const ASK_AGAIN_MS = 20000;

const known = new Map();
// What is said about an upload stays when its row is drawn anew.
const notes = new Map();
const comparing = new Map();

async function stateOf(row) {
  const id = row.dataset.job;
  const last = known.get(id);
  if (last && Date.now() - last.at < ASK_AGAIN_MS) return last.state;
  const state = ask('GET', row.dataset.stateUrl).catch(() => null);
  known.set(id, { at: Date.now(), state });
  return state;
}

async function look(row) {
  const place = row.querySelector('[data-waiting]');
  if (!place || owns(row.dataset.job) || !OPEN_STATES.includes(row.dataset.state)) return;
  const state = await stateOf(row);
  if (!state || !row.isConnected || owns(row.dataset.job)) return;
  if (!OPEN_STATES.includes(state.state) || state.received.length >= state.parts) return;
  // Null where no slices may pass the console; without the name this person may not send.
  if (state.slice_url === undefined) return;
  draw(place, state);
  remind(state.job);
}

// The tray opens by itself for an upload that cannot go on alone, once for each.
function remind(job) {
  if (sessionStorage.getItem(`waits-${job}`)) return;
  sessionStorage.setItem(`waits-${job}`, 'shown');
  openTray(true, { isLasting: false });
}

function draw(place, state) {
  const running = comparing.get(state.job);
  place.replaceChildren(running ? running.root : question(state));
  place.hidden = false;
}

function question(state) {
  const picker = element('input', { type: 'file', hidden: true, onchange: () => resume(state, picker.files[0]) });
  const button = element('button', { type: 'button', class: 'btn btn-sm btn-primary', onclick: () => picker.click() }, icon('file-upload'), word('choose'));
  const note = notes.get(state.job);
  return element(
    'div',
    { class: 'waits' },
    element('span', {}, word('waits')),
    button,
    picker,
    note && element('p', { class: 'waits-note', role: 'alert' }, icon('alert-circle'), note),
  );
}

function redraw(state) {
  for (const row of document.querySelectorAll(`[data-job="${state.job}"]`)) {
    const place = row.querySelector('[data-waiting]');
    if (place) draw(place, state);
  }
}

function say(state, note) {
  notes.set(state.job, note);
  redraw(state);
  if (!document.querySelector(`[data-job="${state.job}"] [data-waiting]`)) toast(note, 'error');
}

// Returns once the file is being sent or was refused; nothing that is stored changes when it is refused.
export async function resume(state, file) {
  if (!file || comparing.has(state.job)) return;
  notes.delete(state.job);
  const difference = differenceOf(state, file);
  if (difference) {
    say(state, difference);
    return;
  }
  try {
    if (await holdsWhatIsStored(state, file)) await goOn(state, file);
  } catch (error) {
    if (error.name !== 'AbortError') say(state, error.name === 'NotReadableError' ? word('unreadable') : error.message);
  } finally {
    comparing.delete(state.job);
    if (!owns(state.job)) redraw(state);
  }
}

async function holdsWhatIsStored(state, file) {
  const { parts } = await ask('GET', `${state.state_url}digests/`);
  if (!parts.length) return true;
  const line = new ComparingLine(bytesOf(parts));
  comparing.set(state.job, line);
  redraw(state);
  const { differing: numbers } = await compare(file, parts, { signal: line.signal, onProgress: (done) => line.show(done) });
  if (!numbers.length) return true;
  say(state, numbers.length === 1 ? word('part-differs', { number: listed(numbers) }) : word('parts-differ', { numbers: listed(numbers) }));
  return false;
}

async function goOn(state, file) {
  // What is missing is asked for anew: comparing took its time.
  const now = await ask('GET', state.state_url);
  if (now.state === 'paused') await ask('POST', `${state.state_url}resume/`);
  if (now.state === 'parked') await ask('POST', `${state.state_url}retry/`);
  known.delete(now.job);
  comparing.delete(now.job);
  begin(new Sender({ file, key: now.key, state: now })).catch((error) => say(state, error.message));
}

export class ComparingLine {
  #stop = new AbortController();

  constructor(total) {
    this.total = total;
    this.signal = this.#stop.signal;
    this.bar = element('progress', { max: total || 1, value: 0, 'aria-label': word('comparing') });
    this.text = element('span', {}, word('comparing'));
    const button = element('button', { type: 'button', class: 'btn btn-sm', onclick: () => this.#stop.abort() }, word('cancel'));
    this.root = element('div', { class: 'waits waits-comparing' }, this.text, button, this.bar);
  }

  show(done) {
    this.bar.value = done;
    this.text.textContent = `${word('comparing')} ${word('of', { done: size(done), total: size(this.total) })} (${percent(done, this.total)} %)`;
  }
}

export function differenceOf(state, file) {
  if (file.size === state.size) return '';
  const expected = state.key.slice(state.key.lastIndexOf('/') + 1);
  const name = file.name === expected ? '' : `${word('other-name', { expected, actual: file.name })} `;
  return name + word('other-size', { actual: exact(file.size), expected: exact(state.size) });
}

function exact(bytes) {
  const count = word('bytes', { count: bytes.toLocaleString(document.documentElement.lang) });
  return bytes < 1024 ? count : `${count} (${size(bytes)})`;
}

function lookAtAll() {
  for (const row of document.querySelectorAll('[data-job][data-state-url]')) look(row);
}

document.body.addEventListener('htmx:afterSwap', lookAtAll);
document.addEventListener('page:shown', lookAtAll);
lookAtAll();
