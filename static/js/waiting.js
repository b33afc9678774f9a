// Uploads whose page was closed: they wait for their file, and go on with the slices that are missing.

import { ask } from './answers.js';
import { element, icon } from './dom.js';
import { size } from './figures.js';
import { Sender } from './sender.js';
import { openTray } from './shell.js';
import { word } from './strings.js';
import { toast } from './toasts.js';
import { begin, owns } from './uploads.js';

const OPEN_STATES = ['queued', 'running', 'paused', 'parked'];
const ASK_AGAIN_MS = 20000;

const known = new Map();

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
  place.replaceChildren(...question(state));
  place.hidden = false;
  remind(state.job);
}

// The tray opens by itself for an upload that cannot go on alone, once for each.
function remind(job) {
  if (sessionStorage.getItem(`waits-${job}`)) return;
  sessionStorage.setItem(`waits-${job}`, 'shown');
  openTray(true, { isLasting: false });
}

function question(state) {
  const picker = element('input', { type: 'file', hidden: true, onchange: () => chosen(state, picker.files[0]) });
  const button = element('button', { type: 'button', class: 'btn btn-sm btn-primary', onclick: () => picker.click() }, icon('file-upload'), word('choose'));
  return [element('div', { class: 'waits' }, element('span', {}, word('waits')), button, picker)];
}

async function chosen(state, file) {
  if (!file) return;
  const difference = differenceOf(state, file);
  if (difference) {
    toast(difference, 'error');
    return;
  }
  try {
    // What is missing is asked for anew: the answer on the page may be minutes old.
    const now = await ask('GET', state.state_url);
    if (now.state === 'paused') await ask('POST', `${state.state_url}resume/`);
    if (now.state === 'parked') await ask('POST', `${state.state_url}retry/`);
    known.delete(now.job);
    await begin(new Sender({ file, key: now.key, state: now }));
  } catch (error) {
    toast(error.message, 'error');
  }
}

export function differenceOf(state, file) {
  const expected = state.key.slice(state.key.lastIndexOf('/') + 1);
  if (file.size !== state.size) {
    const name = file.name === expected ? '' : `${word('other-name', { expected, actual: file.name })} `;
    return name + word('other-size', { actual: exact(file.size), expected: exact(state.size) });
  }
  if (state.file_modified_ms != null && file.lastModified !== state.file_modified_ms) {
    return word('other-date', { actual: moment(file.lastModified), expected: moment(state.file_modified_ms) });
  }
  return '';
}

function exact(bytes) {
  const count = word('bytes', { count: bytes.toLocaleString(document.documentElement.lang) });
  return bytes < 1024 ? count : `${count} (${size(bytes)})`;
}

function moment(ms) {
  return new Date(ms).toLocaleString(document.documentElement.lang);
}

function lookAtAll() {
  for (const row of document.querySelectorAll('[data-job][data-state-url]')) look(row);
}

document.body.addEventListener('htmx:afterSwap', lookAtAll);
document.addEventListener('page:shown', lookAtAll);
lookAtAll();
