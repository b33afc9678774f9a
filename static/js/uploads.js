// All uploads of this page: their lines in the tray, and the question before the page is left.

import { ask } from './answers.js';
import { stayAwake } from './awake.js';
import { Batch } from './batch.js';
import { BatchLine } from './batch_line.js';
import { element } from './dom.js';
import { isNews } from './heard.js';
import { closeTrayUnlessUsed, openTray } from './shell.js';
import { word } from './strings.js';
import { toast } from './toasts.js';
import { UploadLine } from './upload_line.js';

const TICK_MS = 1000;
const LINGER_MS = 4000;
const DRAW_MS = 200;
// How often the list behind the tray shows what has arrived of many files.
const ARRIVED_MS = 5000;

const waiting = new Set();
const lines = new Map();
const batches = new Map();
let ticking = null;
let more = null;

// A line appears when its turn comes, so that ten thousand files do not make ten thousand lines. The files of
// a batch share one; `wanted` is what the console is told about a file that may go with others in one request.
export function begin(sender, { batch = null, wanted = null } = {}) {
  awake();
  if (batch) return batch.send(sender, wanted);
  waiting.add(sender);
  sender.addEventListener('change', () => follow(sender));
  follow(sender);
  countWaiting();
  return sender.run();
}

// Announces many files to the console; throws a Refusal when it cannot be told.
export async function batchOpen(url, { prefix, bucket, files, bytes }) {
  const answer = await ask('POST', url, { prefix, files, bytes });
  const batch = new Batch(answer, { prefix, bucket, files, bytes });
  batches.set(batch, new BatchLine(batch));
  place().prepend(batches.get(batch).root);
  batch.addEventListener('change', () => redraw(batch));
  awake();
  hideOwned();
  return batch;
}

export function owns(jobId) {
  return find(jobId) !== undefined;
}

export function isSending() {
  return waiting.size > 0 || [...lines.keys()].some((sender) => sender.isBusy) || [...batches.keys()].some((batch) => batch.isSending);
}

const place = () => document.getElementById('tray-uploads');

function awake() {
  // Whoever closed it has the pill; on a phone it would cover the page.
  if (sessionStorage.getItem('tray') !== 'closed' && matchMedia('(min-width: 48em)').matches) openTray(true, { isLasting: false });
  ticking ??= setInterval(tick, TICK_MS);
  stayAwake(true);
}

function find(jobId) {
  for (const sender of lines.keys()) if (sender.job === jobId) return sender;
  for (const batch of batches.keys()) {
    const found = batch.parent === jobId ? batch : batch.find(jobId);
    if (found) return found;
  }
  return undefined;
}

function follow(sender) {
  if (sender.phase === 'ended') {
    finish(sender);
    return;
  }
  if (sender.phase !== 'waiting' && waiting.delete(sender)) {
    lines.set(sender, new UploadLine(sender));
    place().append(lines.get(sender).root);
    countWaiting();
    hideOwned();
  }
  lines.get(sender)?.draw();
}

function finish(sender) {
  if (!waiting.delete(sender) && !lines.has(sender)) return;
  lines.get(sender)?.root.remove();
  lines.delete(sender);
  countWaiting();
  if (sender.note === 'stored') arrived(sender.key);
  rest();
  window.htmx.trigger(document.body, 'job:changed');
}

function arrived(key) {
  document.body.dispatchEvent(new CustomEvent('upload:stored', { bubbles: true, detail: { key } }));
}

function rest() {
  if (!isSending()) stayAwake(false);
  if (lines.size + waiting.size + batches.size > 0) return;
  clearInterval(ticking);
  ticking = null;
  setTimeout(() => lines.size + waiting.size + batches.size === 0 && closeTrayUnlessUsed(), LINGER_MS);
}

// Fifty files may end in one moment: their batch is drawn once for them.
const due = new Map();

function redraw(batch) {
  if (due.has(batch)) return;
  due.set(batch, setTimeout(() => {
    due.delete(batch);
    drawBatch(batch);
  }, DRAW_MS));
}

function drawBatch(batch) {
  const line = batches.get(batch);
  if (!line) return;
  line.draw();
  if (!batch.isOver) return;
  const hadFocus = line.root.contains(document.activeElement);
  line.root.remove();
  batches.delete(batch);
  // A few small files are in the store before their line was drawn once.
  if (AT_REST.includes(batch.state)) arrived(batch.prefix);
  else storing.set(batch.parent, batch);
  hideOwned();
  rest();
  window.htmx.trigger(document.body, 'job:changed');
  if (hadFocus) document.getElementById('tray-title')?.focus();
}

// What has left this page and is on its way to the store: the folder shows it when it is there.
const storing = new Map();
const AT_REST = ['done', 'parked', 'canceled'];
const shown = new WeakMap();

function showArrived(batch) {
  const before = shown.get(batch) ?? { at: 0, files: 0 };
  if (batch.stored.files === before.files || Date.now() - before.at < ARRIVED_MS) return;
  shown.set(batch, { at: Date.now(), files: batch.stored.files });
  arrived(batch.prefix);
}

function tick() {
  for (const line of lines.values()) line.tick();
  for (const [batch, line] of batches) {
    line.tick();
    showArrived(batch);
  }
  if (!isSending()) stayAwake(false);
}

function countWaiting() {
  more ??= element('p', { class: 'tray-more', hidden: true });
  if (!more.isConnected || more.nextSibling) place().append(more);
  more.hidden = waiting.size === 0;
  more.textContent = word('more', { count: waiting.size });
}

// The server's list knows these uploads too; the line of this page says more about them.
function hideOwned() {
  for (const row of document.querySelectorAll('#tray-jobs [data-job]')) row.hidden = owns(row.dataset.job);
  for (const question of document.querySelectorAll('[data-job] [data-waiting]')) {
    if (owns(question.closest('[data-job]').dataset.job)) question.hidden = true;
  }
  const empty = document.querySelector('[data-tray-empty]');
  if (!empty) return;
  const others = document.querySelectorAll('#tray-jobs [data-job]:not([hidden])').length;
  empty.hidden = others + lines.size + waiting.size + batches.size > 0;
}

function onMessage(job) {
  if (storing.has(job.id) && AT_REST.includes(job.state)) {
    arrived(storing.get(job.id).prefix);
    storing.delete(job.id);
  }
  const found = find(job.id);
  if (!found) return;
  lines.get(found)?.follow(job);
  found.follow(job);
}

// Without the live stream the console is asked about each upload of this page.
async function poll() {
  const asked = [...lines.keys()].filter((one) => one.job).map((one) => [one.job, one.stateUrl]);
  for (const batch of [...batches.keys(), ...storing.values()]) asked.push([batch.parent, batch.stateUrl]);
  for (const [id, url] of asked) {
    const state = await ask('GET', url).catch(() => null);
    const message = state && { error_message: word('state-parked'), ...state, id };
    if (message && isNews(message)) onMessage(message);
  }
}

// Whoever is signed out is led to the door by the next request of the page, a poll of the tray included. The files
// of this page would be gone with it: it stays, and goes on when somebody has signed in on another one.
let isSignedOut = false;

const hasFiles = () => lines.size + waiting.size + batches.size > 0 || document.querySelector('dialog.sheet[open]');

function stay(event) {
  const isOut = event.detail.xhr.status === 401;
  if (isOut && hasFiles()) {
    event.preventDefault();
    if (!isSignedOut) toast(word('signed-out-here'), 'error');
  }
  isSignedOut = isOut;
}

document.body.addEventListener('htmx:beforeOnLoad', stay);
document.addEventListener('job:message', (event) => onMessage(event.detail));
document.body.addEventListener('job:poll', poll);
document.body.addEventListener('htmx:afterSwap', hideOwned);
window.addEventListener('beforeunload', (event) => {
  if (isSending()) event.preventDefault();
});
// Who leaves all the same never comes to the files that are left, and the console need not wait for them.
window.addEventListener('pagehide', () => {
  for (const batch of batches.keys()) if (!batch.isOver) batch.report({ isClosed: true });
});
