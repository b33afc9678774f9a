// Live figures: one stream per page, and polling for as long as it cannot be had.

import { count, duration, objectsRate, percent, rate, size } from './figures.js';
import { isNews } from './heard.js';
import { word } from './strings.js';

const UNFINISHED = '[data-job]:not([data-state="done"], [data-state="canceled"])';
const POLL_MS = 5000;
const REFETCH_MS = 400;
// Many jobs that end one after the other are drawn together.
const REFETCH_AGAIN_MS = 2000;
const RECONNECT_MS = 30000;
// What moves is told every few seconds; a job that was silent for so long may have ended unheard.
const MOVING = ['queued', 'running', 'finishing', 'canceling'].map((state) => `[data-job][data-state="${state}"]`).join(',');
const SILENT_MS = 10000;

// The state of each job when it was last drawn, so that a change of it fetches the fragment once.
const drawn = new Map();
let source = null;
let polling = null;
let refetching = null;
let refetchedAt = -REFETCH_AGAIN_MS;
let hadGap = false;

function connect() {
  if (source) source.close();
  source = new EventSource(document.body.dataset.eventsUrl);
  source.addEventListener('job', (event) => receive(JSON.parse(event.data)));
  source.onopen = () => {
    stopPolling();
    // What ended between the drawing of the page and this moment is told by nobody any more.
    if (hadGap || document.querySelector(UNFINISHED)) poll();
    hadGap = false;
  };
  source.onerror = () => {
    hadGap = true;
    startPolling();
    // The browser gives up after an answer that is not a stream; a busy server has a place again later.
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, RECONNECT_MS);
  };
}

function poll() {
  if (!document.hidden) window.htmx.trigger(document.body, 'job:poll');
}

function startPolling() {
  polling ??= setInterval(poll, POLL_MS);
}

function stopPolling() {
  clearInterval(polling);
  polling = null;
}

const toldAt = new Map();

function lookForSilent() {
  if (!source || polling || document.hidden) return;
  const now = performance.now();
  let isSilent = false;
  for (const { dataset } of document.querySelectorAll(MOVING)) {
    if (!toldAt.has(dataset.job)) toldAt.set(dataset.job, now);
    if (now - toldAt.get(dataset.job) < SILENT_MS) continue;
    toldAt.set(dataset.job, now);
    isSilent = true;
  }
  if (isSilent) poll();
}

function receive(job) {
  toldAt.set(job.id, performance.now());
  if (!isNews(job)) return;
  for (const row of document.querySelectorAll(`[data-job="${job.id}"]`)) {
    if (!drawn.has(job.id)) drawn.set(job.id, row.dataset.state);
    if (row.dataset.state === job.state) draw(row, job);
  }
  // A file of a batch is on the page of its batch only.
  const isShown = !job.parent || document.querySelector(`[data-job="${job.id}"]`);
  if (isShown && drawn.get(job.id) !== job.state) refetch();
  drawn.set(job.id, job.state);
  document.dispatchEvent(new CustomEvent('job:message', { detail: job }));
}

// The last change counts: a throttle that dropped it would leave a finished job running on screen.
function refetch() {
  const rest = refetchedAt + REFETCH_AGAIN_MS - performance.now();
  refetching ??= setTimeout(() => {
    refetching = null;
    refetchedAt = performance.now();
    window.htmx.trigger(document.body, 'job:changed');
  }, Math.max(REFETCH_MS, rest));
}

function draw(row, job) {
  const isBytes = job.unit === 'bytes';
  const isKnown = isBytes || job.total > 0;
  const bar = row.querySelector('[data-live="bar"]');
  if (bar && isKnown && job.state !== 'done') {
    bar.max = job.total || 1;
    bar.value = job.done;
  }
  const isBatch = row.dataset.kind === 'upload-many';
  if (job.state !== 'done') write(row, 'done', isBytes ? bytesOf(job) : isBatch ? filesOf(job) : objectsOf(job));
  if (isBatch) write(row, 'bytes', word('of', { done: size(job.bytes_done), total: size(job.bytes_total) }));
  write(row, 'percent', isKnown ? `${percent(job.done, job.total)} %` : '');
  write(row, 'failed', job.failed ? word('failed-objects', { count: count(job.failed) }) : '');
  if (isBatch) write(row, 'rate', job.bytes_rate ? rate(job.bytes_rate) : '');
  else write(row, 'rate', job.rate ? (isBytes ? rate : objectsRate)(job.rate) : '');
  write(row, 'left', isKnown ? leftOf(job) : '');
}

function bytesOf(job) {
  return word('of', { done: size(job.done), total: size(job.total) });
}

function filesOf(job) {
  return word('files-of', { done: count(job.done), total: count(job.total) });
}

function objectsOf(job) {
  if (!job.total) return word('objects-so-far', { count: count(job.done) });
  return word('objects-of', { done: count(job.done), total: count(job.total) });
}

function leftOf(job) {
  return job.eta_s == null ? word('measuring') : word('left', { time: duration(job.eta_s) });
}

function write(row, name, text) {
  const place = row.querySelector(`[data-live="${name}"]`);
  if (place && place.textContent !== text) place.textContent = text;
}

function countActive() {
  const fragment = document.querySelector('#tray-jobs [data-active]');
  const badge = document.getElementById('tray-count');
  if (!fragment || !badge) return;
  badge.textContent = fragment.dataset.active;
  badge.hidden = fragment.dataset.active === '0';
}

document.body.addEventListener('htmx:afterSwap', countActive);
document.addEventListener('page:shown', countActive);
// A page that is not looked at gives its connection back: browsers allow six per host.
document.addEventListener('visibilitychange', () => {
  if (document.hidden) {
    source?.close();
    stopPolling();
    hadGap = true;
  } else {
    connect();
  }
});
window.addEventListener('pagehide', () => source?.close());
setInterval(lookForSilent, SILENT_MS / 2);
// Not before htmx knows the page: the question that is asked once the stream stands would reach nobody.
for (const moment of ['DOMContentLoaded', 'load']) {
  window.addEventListener(moment, () => {
    if (!source && !document.hidden) connect();
  });
}
