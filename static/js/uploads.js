// All uploads of this page: their lines in the tray, and the question before the page is left.

import { ask } from './answers.js';
import { element } from './dom.js';
import { isNews } from './heard.js';
import { closeTrayUnlessUsed, openTray } from './shell.js';
import { word } from './strings.js';
import { UploadLine } from './upload_line.js';

const TICK_MS = 1000;
const LINGER_MS = 4000;

const waiting = new Set();
const lines = new Map();
let ticking = null;
let more = null;

// A line appears when its turn comes, so that ten thousand files do not make ten thousand lines.
export function begin(sender) {
  waiting.add(sender);
  sender.addEventListener('change', () => follow(sender));
  openTray(true, { isLasting: false });
  ticking ??= setInterval(tick, TICK_MS);
  follow(sender);
  countWaiting();
  return sender.run();
}

export function owns(jobId) {
  return find(jobId) !== undefined;
}

export function isSending() {
  return waiting.size > 0 || [...lines.keys()].some((sender) => sender.isBusy);
}

function find(jobId) {
  return [...lines.keys()].find((sender) => sender.job === jobId);
}

function follow(sender) {
  if (sender.phase === 'ended') {
    finish(sender);
    return;
  }
  if (sender.phase !== 'waiting' && waiting.delete(sender)) {
    lines.set(sender, new UploadLine(sender));
    document.getElementById('tray-uploads').append(lines.get(sender).root);
    countWaiting();
  }
  lines.get(sender)?.draw();
  hideOwned();
}

function finish(sender) {
  if (!waiting.delete(sender) && !lines.has(sender)) return;
  lines.get(sender)?.root.remove();
  lines.delete(sender);
  countWaiting();
  if (sender.note === 'stored') {
    document.body.dispatchEvent(new CustomEvent('upload:stored', { bubbles: true, detail: { key: sender.key } }));
  }
  if (lines.size === 0 && waiting.size === 0) {
    clearInterval(ticking);
    ticking = null;
    setTimeout(() => lines.size + waiting.size === 0 && closeTrayUnlessUsed(), LINGER_MS);
  }
  window.htmx.trigger(document.body, 'job:changed');
}

function tick() {
  for (const line of lines.values()) line.tick();
}

function countWaiting() {
  more ??= element('p', { class: 'tray-more', hidden: true });
  document.getElementById('tray-uploads').append(more);
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
  const shown = document.querySelectorAll('#tray-jobs [data-job]:not([hidden])').length;
  empty.hidden = shown + lines.size + waiting.size > 0;
}

function onMessage(job) {
  const sender = find(job.id);
  if (!sender) return;
  lines.get(sender).follow(job);
  sender.follow(job);
}

// Without the live stream the console is asked about each upload of this page.
async function poll() {
  for (const sender of [...lines.keys()].filter((one) => one.job)) {
    const state = await ask('GET', sender.stateUrl).catch(() => null);
    const message = state && { ...state, id: sender.job, error_message: word('state-parked') };
    if (message && isNews(message)) onMessage(message);
  }
}

document.addEventListener('job:message', (event) => onMessage(event.detail));
document.body.addEventListener('job:poll', poll);
document.body.addEventListener('htmx:afterSwap', hideOwned);
window.addEventListener('beforeunload', (event) => {
  if (isSending()) event.preventDefault();
});
