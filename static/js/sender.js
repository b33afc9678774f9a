// One file on its way from this browser, slice by slice, whichever way they take. A failure parks, it never
// aborts.

import { ask, Refusal } from './answers.js';
import { wayOf } from './direct_way.js';
import { isNews } from './heard.js';
import { Slots } from './slots.js';
import { word } from './strings.js';
import { duration } from './figures.js';

const FILES_AT_ONCE = 3;
const SLICES_AT_ONCE = 4;
const FINISH_SLICES_MS = 10000;
const REFUSED_AT_MOST = 3;
const BACK_OFF_S = [1, 2, 4, 8, 15, 30];

const files = new Slots(FILES_AT_ONCE);
const slices = new Slots(SLICES_AT_ONCE);

/*
 * phase: waiting ──> starting ──> sending <──> held      held: paused, or parked by the server
 *                        └──────────┴──> failed ──(retry)──> starting or sending
 *        sending ──> received           everything is with the console
 *        any ──> ended                  stored, canceled or skipped
 */
export class Sender extends EventTarget {
  phase = 'waiting';
  note = '';
  error = null;
  job = null;
  way = null;

  #inFlight = new Map();
  #pending = [];
  #received = new Set();
  #done = 0;
  #stop = new AbortController();
  #resume = null;
  #cutOff = null;
  // Gives the place among the files that are sent at once to the next file.
  #leave = () => {};
  #isReturning = false;

  // `start` asks the console for an upload of the file and returns its answer, null when it is to be skipped.
  constructor({ file, key, start = null, state = null }) {
    super();
    this.file = file;
    this.key = key;
    this.size = file.size;
    this.start = start;
    if (state) this.#adopt(state);
  }

  get sent() {
    let bytes = this.#done;
    for (const loaded of this.#inFlight.values()) bytes += loaded;
    return Math.min(bytes, this.size);
  }

  // Which way its bytes take now: 'direct' or 'console'; '' before it begins.
  get path() {
    return this.way?.name ?? '';
  }

  get isBusy() {
    return ['waiting', 'starting', 'sending'].includes(this.phase);
  }

  async run() {
    this.#leave = await files.take();
    try {
      if (this.phase !== 'ended') await this.#work();
    } finally {
      this.#leave();
    }
  }

  async #work() {
    try {
      if (!this.job && !(await this.#begin())) return;
      if (this.phase !== 'held') this.#to('sending');
      await Promise.all(Array.from({ length: SLICES_AT_ONCE }, () => this.#sendAll()));
      if (this.phase === 'sending') this.#to('received');
    } catch (error) {
      this.#stop.abort();
      this.error = error;
      if (this.phase !== 'ended') this.#to('failed');
    }
  }

  async #begin() {
    this.#to('starting');
    const answer = await this.#startOrWait();
    if (!answer) {
      this.end('skipped');
      return false;
    }
    if (this.phase === 'ended') {
      await this.ask('cancel', answer.state_url).catch(() => {});
      return false;
    }
    this.#adopt({ ...answer, received: [] });
    return true;
  }

  // A console that restarts or a store that is busy keeps its place in the queue instead of failing each file.
  async #startOrWait() {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.start(this);
      } catch (error) {
        if (!error.isPassing || this.phase === 'ended') throw error;
        const wait = waitOf(attempt);
        const note = error.status === 0 ? word('waiting-network', { time: duration(wait) }) : error.message;
        this.#say(note);
        await this.#pauseFor(wait);
        if (this.phase === 'ended') return null;
      }
    }
  }

  #adopt(state) {
    this.job = state.job;
    this.partSize = state.part_size;
    this.way = wayOf(state);
    this.stateUrl = state.state_url;
    this.#pending = [];
    this.#received.clear();
    this.#done = 0;
    this.#inFlight.clear();
    for (const number of state.received) this.#keep(number);
    for (let number = 1; number <= state.parts; number += 1) {
      if (!this.#received.has(number)) this.#pending.push(number);
    }
  }

  // The console has this slice; that may be learned twice, from its own answer and from the upload's state.
  #keep(number) {
    this.#inFlight.delete(number);
    if (this.#received.has(number)) return;
    this.#received.add(number);
    this.#done += this.#range(number).length;
  }

  #range(number) {
    const offset = (number - 1) * this.partSize;
    return { offset, length: Math.min(this.partSize, this.size - offset) };
  }

  async #sendAll() {
    while (await this.#maySend()) {
      const number = this.#pending.shift();
      if (number === undefined) return;
      const giveBack = await slices.take();
      try {
        await this.#sendOnce(number);
      } finally {
        giveBack();
      }
    }
  }

  async #maySend() {
    while (this.phase === 'held') {
      this.#resume ??= deferred();
      await this.#resume.promise;
    }
    return this.phase === 'sending';
  }

  async #sendOnce(number) {
    let status = null;
    let inRow = 0;
    for (let attempt = 0; ; attempt += 1) {
      if (this.#received.has(number)) return;
      if (this.phase !== 'sending') {
        this.#pending.unshift(number);
        return;
      }
      const { offset, length } = this.#range(number);
      const stop = this.#stop.signal;
      try {
        await this.way.put(number, this.file.slice(offset, offset + length), {
          signal: stop,
          onProgress: (loaded) => {
            this.#inFlight.set(number, Math.min(loaded, length));
            this.#say(this.note);
          },
        });
        this.#keep(number);
        this.#say('');
        return;
      } catch (error) {
        this.#inFlight.delete(number);
        if (stop.aborted) {
          this.#pending.unshift(number);
          return;
        }
        inRow = error.status === status ? inRow + 1 : 1;
        status = error.status;
        await this.#overcome(error, attempt, inRow);
      }
    }
  }

  // Decide what a failed slice means; on return it is sent again, if this file is still being sent.
  async #overcome(error, attempt, inRow) {
    const isRefused = error.status === 401 || error.status === 403;
    if (error.status === 410 || error.status === 404 || (isRefused && inRow > REFUSED_AT_MOST)) {
      this.end('gone');
      return;
    }
    const isPassing = error.status === 0 || error.status === 408 || error.status === 429 || error.status >= 500;
    if (!isPassing && !isRefused) {
      throw new Refusal(error.status, { error: error.status === 400 ? word('unreadable') : error.message });
    }
    // Status 0 is also what a file gives that was moved away: the network then is not to blame.
    if (error.status === 0) await this.#requireReadable();
    // It is also what a refusal gives when the connection was closed before the answer could be read.
    const isAnswered = (isRefused || (error.status === 0 && inRow > 1)) && (await this.#renew());
    if (this.phase !== 'sending' || (isRefused && isAnswered)) return;
    const wait = error.retryAfterS || waitOf(attempt);
    // The server's own sentence says most: a full disk is not a slow store.
    const silent = isAnswered ? word('waiting-store') : word('waiting-network', { time: duration(wait) });
    this.#say(error.status === 503 ? error.message : silent);
    await this.#pauseFor(wait);
  }

  // Ask the console how this upload stands, and go by its answer; false when it can not be reached.
  async #renew() {
    let state;
    try {
      state = await ask('GET', this.stateUrl);
    } catch (error) {
      if (error.isPassing) return false;
      if (error.status !== 404) throw error;
      this.end('gone');
      return true;
    }
    this.way.renew(state);
    for (const number of state.received) this.#keep(number);
    const message = { ...state, id: state.job };
    // Meanwhile the person may have paused it here, which the answer does not know.
    if (this.phase === 'sending' && isNews(message)) this.follow(message);
    return true;
  }

  async #requireReadable() {
    try {
      await this.file.slice(0, 1).arrayBuffer();
    } catch {
      throw new Refusal(0, { error: word('unreadable') });
    }
  }

  #pauseFor(seconds) {
    const signal = this.#stop.signal;
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        window.removeEventListener('online', finish);
        signal.removeEventListener('abort', finish);
        resolve();
      };
      const timer = setTimeout(finish, seconds * 1000);
      window.addEventListener('online', finish);
      signal.addEventListener('abort', finish);
    });
  }

  // Stop sending without telling the console; `go` continues. Meanwhile another file takes the place.
  hold(error = null) {
    if (this.phase !== 'sending') return;
    this.error = error;
    this.#to('held');
    // Slices that are nearly through may arrive: to cut them off would send their bytes twice.
    const stop = this.#stop;
    this.#cutOff = setTimeout(() => stop.abort(), FINISH_SLICES_MS);
    this.#leave();
  }

  async go() {
    if (this.phase !== 'held' || this.#isReturning) return;
    this.#isReturning = true;
    this.#say(word('waiting-turn'));
    const leave = await files.take();
    this.#isReturning = false;
    if (this.phase !== 'held') {
      leave();
      return;
    }
    this.#leave = leave;
    clearTimeout(this.#cutOff);
    this.#stop = new AbortController();
    this.error = null;
    this.#to('sending');
    this.#resume?.resolve();
    this.#resume = null;
  }

  async pause() {
    await this.ask('pause');
    this.hold();
  }

  async resume() {
    await this.ask('resume');
    this.go();
  }

  async cancel() {
    this.end('canceled');
    if (this.job) await this.ask('cancel');
  }

  // Begin again where it failed; what the console has received is asked for, not remembered.
  async retry() {
    if (this.phase === 'held') {
      await this.ask('retry');
      await this.go();
      return;
    }
    const before = this.error;
    this.error = null;
    this.#stop = new AbortController();
    this.#to('waiting');
    try {
      if (this.job) await this.#catchUp();
    } catch {
      this.error = before;
      this.#to('failed');
      return;
    }
    await this.run();
  }

  async #catchUp() {
    const state = await ask('GET', this.stateUrl);
    if (state.state === 'parked') await this.ask('retry');
    if (state.state === 'paused') await this.ask('resume');
    this.#adopt(state);
  }

  // What the console says about the job; the person may have paused it on another page.
  follow({ state, error_message: message }) {
    if (state === 'done') this.end('stored');
    if (state === 'canceled' || state === 'canceling') this.end('canceled');
    if (state === 'parked' && this.phase === 'received') this.end('parked');
    if (state === 'parked') this.hold(new Refusal(0, { error: message || word('state-parked') }));
    if (state === 'paused') this.hold();
    if (state === 'running') this.go();
  }

  end(note) {
    if (this.phase === 'ended') return;
    this.note = note;
    this.#to('ended');
    this.#stop.abort();
    this.#resume?.resolve();
  }

  ask(action, stateUrl = this.stateUrl) {
    return ask('POST', `${stateUrl}${action}/`);
  }

  #say(note) {
    this.note = note;
    this.dispatchEvent(new Event('change'));
  }

  #to(phase) {
    this.phase = phase;
    if (phase !== 'ended') this.note = '';
    this.dispatchEvent(new Event('change'));
  }
}

// Waits differ a little, so that many browsers do not come back in the same instant.
function waitOf(attempt) {
  return BACK_OFF_S[Math.min(attempt, BACK_OFF_S.length - 1)] * (0.8 + Math.random() * 0.4);
}

function deferred() {
  let resolve;
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
