// The direct way: the browser sends parts to the store itself, and the console learns what was stored.

import { ask } from './answers.js';
import { ConsoleWay } from './console_way.js';
import { SliceFailed } from './slice_request.js';
import { lineTo } from './store_line.js';
import { word } from './strings.js';

const ADDRESSES_AT_ONCE = 4;
const ASKED_AT_MOST = 16;
// Signatures last a quarter of an hour; a part that begins late needs a fresh one.
const ADDRESS_MS = 12 * 60 * 1000;
const FAILURES_AT_MOST = 2;
// How long the console's way is taken before the direct one is tried again; longer each time.
const SHUNNED_MS = [60 * 1000, 5 * 60 * 1000, 15 * 60 * 1000];

// What this page knows of each bucket whose store did not let it through.
const trouble = new Map();

/*
 * What the browser is not told is why a request to another site failed: a missing rule, a firewall and a cable
 * that was pulled look the same. So a part that fails is tried again, and when the console can be reached
 * meanwhile the rest goes through it. Parts of both ways fit into one upload.
 */
export class DirectWay {
  #addresses = new Map();
  #wanted = new Set();
  #asking = null;
  #unreported = new Map();
  #console = null;
  #parts;
  #trouble;

  constructor(state) {
    this.workerUrl = state.worker_url;
    this.stateUrl = state.state_url;
    this.#parts = state.parts;
    if (!trouble.has(this.workerUrl)) trouble.set(this.workerUrl, { failures: 0, until: 0, times: 0 });
    this.#trouble = trouble.get(this.workerUrl);
    this.renew(state);
  }

  get name() {
    return this.#console && this.#trouble.until > Date.now() ? 'console' : 'direct';
  }

  // Where no byte may pass the console, there is no address for slices.
  renew(state) {
    this.#console = state.slice_url ? new ConsoleWay(state) : null;
  }

  async put(number, blob, options) {
    if (this.name === 'console') return this.#console.put(number, blob, options);
    const stored = this.#unreported.get(number) ?? (await this.#store(number, blob, options));
    this.#unreported.set(number, stored);
    options.onProgress(blob.size);
    await this.#tell('parts', { parts: [stored] });
    this.#unreported.delete(number);
    return undefined;
  }

  async #store(number, blob, options) {
    const address = await this.#addressOf(number);
    const answer = await lineTo(this.workerUrl).put(address, blob, options);
    // The file itself could not be read: it was moved or changed.
    if (answer.own === '') throw new SliceFailed(0);
    if (answer.status >= 200 && answer.status < 300) {
      if (answer.crc64 && answer.crc64 !== answer.own) return this.#fail(word('direct-changed'));
      Object.assign(this.#trouble, { failures: 0, times: 0 });
      return { number, size: blob.size, etag: answer.etag, crc64: answer.own };
    }
    this.#addresses.delete(number);
    return this.#overcome(answer);
  }

  // A busy store is waited for. Whatever else it is, the second time in a row the console takes over.
  async #overcome({ status, code, retryAfterS }) {
    if (status === 429 || status >= 500) throw new SliceFailed(503, { error: word('direct-busy'), retryAfterS });
    // An upload that the store does not have: the console finds out what became of it.
    if (code === 'NoSuchUpload') this.#trouble.failures = FAILURES_AT_MOST;
    await this.#requireConsole();
    return this.#fail(word(this.#console ? 'direct-failed' : 'direct-refused'));
  }

  #fail(error) {
    const at = this.#trouble;
    at.failures += 1;
    if (at.failures < FAILURES_AT_MOST || !this.#console) throw new SliceFailed(503, { error });
    if (at.until < Date.now()) {
      at.until = Date.now() + SHUNNED_MS[Math.min(at.times, SHUNNED_MS.length - 1)];
      at.times += 1;
    }
    throw new SliceFailed(503, { error, retryAfterS: 0.2 });
  }

  // Without the console either it is the network, and nobody's rule is to blame.
  async #requireConsole() {
    const state = await ask('GET', this.stateUrl).catch((error) => {
      throw new SliceFailed(error.status);
    });
    // Meanwhile the other way may have been opened, or closed.
    this.renew(state);
  }

  async #addressOf(number) {
    const known = this.#addresses.get(number);
    if (known && known.until > Date.now()) return known.address;
    this.#wanted.add(number);
    // Parts that begin together ask together.
    this.#asking ??= Promise.resolve().then(() => this.#fetch());
    await this.#asking;
    return this.#addresses.get(number)?.address ?? this.#addressOf(number);
  }

  async #fetch() {
    const first = Math.min(...this.#wanted);
    const next = Array.from({ length: ADDRESSES_AT_ONCE }, (_, step) => first + step);
    const numbers = [...new Set([...this.#wanted, ...next])].filter((number) => number <= this.#parts).slice(0, ASKED_AT_MOST);
    this.#wanted.clear();
    this.#asking = null;
    const { addresses } = await this.#tell('addresses', { numbers });
    const until = Date.now() + ADDRESS_MS;
    for (const [number, address] of Object.entries(addresses)) this.#addresses.set(Number(number), { address, until });
  }

  async #tell(what, body) {
    try {
      return await ask('POST', `${this.stateUrl}${what}/`, body);
    } catch (error) {
      throw new SliceFailed(error.status, { error: error.message });
    }
  }
}

export function wayOf(state) {
  return state.path === 'direct' ? new DirectWay(state) : new ConsoleWay(state);
}
