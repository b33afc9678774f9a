// Many files of this page that are sent together: what became of each, and what a person does to all of them.

import { ask } from './answers.js';
import { csrfToken } from './dom.js';
import { duration } from './figures.js';
import { Packer, SMALL_BYTES } from './packer.js';
import { Slots } from './slots.js';
import { word } from './strings.js';

// Files that are too large to be packed; the senders have their own limit for those of all batches.
const SINGLES_AT_ONCE = 4;
const RETRIES_AT_ONCE = 4;
const REPORT_MS = 1000;

/*
 * Each file is waiting, then under way, then settled (with the console), left out, or failed. Failed ones stay
 * until they are tried again or dismissed. The gate is shut while the batch is paused, or while all of its
 * files would be refused for the same reason.
 */
export class Batch extends EventTarget {
  settled = 0;
  settledBytes = 0;
  leftOut = 0;
  leftOutBytes = 0;
  active = new Set();
  failed = new Set();
  // What the console says: files and bytes in the store, files that it could not store.
  stored = { files: 0, bytes: 0, failed: 0 };
  state = null;
  isPaused = false;
  isOver = false;
  error = null;
  note = '';

  #singles = new Slots(SINGLES_AT_ONCE);
  #stop = new AbortController();
  #gate = null;
  #packer = null;
  #reporting = null;

  constructor({ parent, state_url: stateUrl, pack_url: packUrl, job_url: jobUrl }, { prefix, bucket, files, bytes }) {
    super();
    Object.assign(this, { parent, stateUrl, packUrl, jobUrl, prefix, bucket, title: prefix || bucket, files, bytes });
    if (packUrl) this.#packer = new Packer(this);
  }

  get signal() {
    return this.#stop.signal;
  }

  get remaining() {
    return this.files - this.settled - this.leftOut - this.failed.size;
  }

  get sentBytes() {
    let bytes = this.settledBytes;
    for (const sender of this.active) bytes += sender.sent;
    return bytes;
  }

  get isSending() {
    return !this.isOver && this.remaining > 0;
  }

  find(jobId) {
    for (const sender of this.active) if (sender.job === jobId) return sender;
    for (const sender of this.failed) if (sender.job === jobId) return sender;
    return undefined;
  }

  // `wanted` is what the console is told about the file; without it the file is not packed.
  async send(sender, wanted = null) {
    if (this.#packer && wanted && sender.size <= SMALL_BYTES && (await this.#packer.offer(sender.file, wanted))) {
      this.#settle(sender);
      return;
    }
    const leave = await this.#singles.take();
    await this.turn();
    if (this.isOver) {
      leave();
      sender.end('canceled');
      return;
    }
    this.active.add(sender);
    sender.addEventListener('change', () => {
      if (!sender.isBusy) leave();
      this.#follow(sender);
    });
    await sender.run();
  }

  #follow(sender) {
    if (sender.phase === 'received' || (sender.phase === 'ended' && sender.note === 'stored')) this.#settle(sender);
    else if (sender.phase === 'ended') this.#leaveOut(sender);
    else if (sender.phase === 'failed' || (sender.phase === 'held' && sender.error)) this.#fail(sender);
    else if (sender.isBusy || sender.phase === 'held') {
      this.failed.delete(sender);
      this.active.add(sender);
    }
    this.#changed();
  }

  #settle(sender) {
    if (sender.isSettled) return;
    sender.isSettled = true;
    this.active.delete(sender);
    this.failed.delete(sender);
    this.settled += 1;
    this.settledBytes += sender.size;
    this.#changed();
  }

  #leaveOut(sender) {
    if (sender.isSettled) return;
    sender.isSettled = true;
    this.active.delete(sender);
    this.failed.delete(sender);
    this.leftOut += 1;
    this.leftOutBytes += sender.size;
    // One that began is canceled by itself, and the console counts it so.
    if (!sender.job) {
      this.skipped = (this.skipped ?? 0) + 1;
      this.skippedBytes = (this.skippedBytes ?? 0) + sender.size;
      this.#reporting ??= setTimeout(() => this.report(), REPORT_MS);
    }
    this.#changed();
  }

  #fail(sender) {
    this.active.delete(sender);
    this.failed.add(sender);
    if ([401, 403].includes(sender.error?.status) && !sender.job) this.stop(sender.error);
  }

  #changed() {
    if (!this.isOver && this.remaining === 0 && this.failed.size === 0) this.#end();
    this.dispatchEvent(new Event('change'));
  }

  #end() {
    this.isOver = true;
    this.report({ isClosed: true });
  }

  // Resolves when the next file may begin.
  async turn() {
    while (this.#gate && !this.isOver) await this.#gate.promise;
  }

  #shut() {
    this.#gate ??= Promise.withResolvers?.() ?? deferred();
  }

  #open() {
    this.#gate?.resolve();
    this.#gate = null;
  }

  // What is refused for one is refused for all: the others are not even tried.
  stop(error) {
    if (this.isOver || this.isPaused) return;
    this.error = error;
    this.#shut();
    this.dispatchEvent(new Event('change'));
  }

  say(note) {
    if (note === this.note) return;
    this.note = note;
    this.dispatchEvent(new Event('change'));
  }

  // The server's own sentence says most: a full disk is not a slow store.
  wait(seconds, error) {
    this.say(error.status === 0 ? word('waiting-network', { time: duration(seconds) }) : error.message);
    return this.pauseFor(seconds);
  }

  pauseFor(seconds) {
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        window.removeEventListener('online', finish);
        this.signal.removeEventListener('abort', finish);
        resolve();
      };
      const timer = setTimeout(finish, seconds * (800 + Math.random() * 400));
      window.addEventListener('online', finish);
      this.signal.addEventListener('abort', finish);
    });
  }

  async pause() {
    await this.#ask('pause');
    this.#hold();
  }

  #hold() {
    if (this.isOver || this.isPaused) return;
    this.isPaused = true;
    this.#shut();
    for (const sender of this.active) sender.hold();
    this.dispatchEvent(new Event('change'));
  }

  async resume() {
    await this.#ask('resume');
    this.#go();
  }

  #go() {
    if (this.isOver || !this.isPaused) return;
    this.isPaused = false;
    this.note = '';
    this.#open();
    for (const sender of this.active) sender.go();
    this.dispatchEvent(new Event('change'));
  }

  // Everything that failed, here and on the console's way to the store.
  async retry() {
    this.error = null;
    const isAsked = this.stored.failed > 0 || this.isPaused;
    if (isAsked) await this.#ask('retry');
    this.isPaused = false;
    this.#open();
    const slots = new Slots(RETRIES_AT_ONCE);
    for (const sender of [...this.failed]) {
      const leave = await slots.take();
      const again = isAsked && sender.phase === 'held' ? sender.go() : sender.retry();
      again.catch(() => {}).finally(leave);
    }
    this.dispatchEvent(new Event('change'));
  }

  // What failed before it began is let go; what the console could not store stays on the job's page.
  dismiss() {
    for (const sender of [...this.failed]) sender.end('dismissed');
    if (this.error) this.#abandon();
  }

  async cancel() {
    await this.#ask('cancel');
    this.#abandon();
  }

  #abandon() {
    this.isOver = true;
    this.#stop.abort();
    this.#packer?.drop();
    this.#open();
    for (const sender of [...this.active, ...this.failed]) sender.end('canceled');
    clearTimeout(this.#reporting);
    this.dispatchEvent(new Event('change'));
  }

  // What the console says about all of them; somebody may have paused them on another page.
  follow(job) {
    this.stored = { files: job.done - job.failed, bytes: job.bytes_done, failed: job.failed };
    this.state = job.state;
    if (job.state === 'paused') this.#hold();
    if (job.state === 'running') this.#go();
    if (job.state === 'canceling' || job.state === 'canceled') this.#abandon();
    this.dispatchEvent(new Event('change'));
  }

  report({ isClosed = false } = {}) {
    clearTimeout(this.#reporting);
    this.#reporting = null;
    const body = { skipped: this.skipped ?? 0, skipped_bytes: this.skippedBytes ?? 0, is_closed: isClosed };
    // It has to leave even while the page is closed.
    const headers = { 'Content-Type': 'application/json', 'X-CSRFToken': csrfToken(), Accept: 'application/json' };
    return fetch(this.stateUrl, { method: 'POST', keepalive: true, headers, body: JSON.stringify(body) }).catch(() => {});
  }

  #ask(action) {
    return ask('POST', this.stateUrl.replace(/files\/$/, `${action}/`));
  }
}

function deferred() {
  let resolve;
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
