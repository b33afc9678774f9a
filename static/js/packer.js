// Small files of a batch, many in one request: a request for each would cost far more than its bytes.

import { Refusal } from './answers.js';
import { csrfToken } from './dom.js';
import { word } from './strings.js';

export const SMALL_BYTES = 256 * 1024;
const PACK_FILES = 50;
const PACK_BYTES = 1 << 20;
const PACKS_AT_ONCE = 2;
const GATHER_MS = 5;
const BACK_OFF_S = [0.5, 1, 2, 4, 8, 15];
// A store that is behind is asked again, with longer pauses each time: every question brings the files along.
const STORE_BEHIND_S = [0.5, 1, 2];
const FOR_ALL = [401, 403, 404, 410];

export class Packer {
  #batch;
  #queue = [];
  #underWay = 0;
  #timer = null;

  constructor(batch) {
    this.#batch = batch;
  }

  // Resolves with whether the console has the file now; one that it has not is to be sent by itself.
  offer(file, wanted) {
    return new Promise((resolve) => {
      this.#queue.push({ file, wanted: { ...wanted, size: file.size }, resolve });
      this.#timer ??= setTimeout(() => {
        this.#timer = null;
        this.#pump();
      }, GATHER_MS);
    });
  }

  drop() {
    for (const item of this.#queue.splice(0)) item.resolve(false);
  }

  #pump() {
    while (this.#underWay < PACKS_AT_ONCE && this.#queue.length) {
      this.#underWay += 1;
      this.#run(this.#next()).finally(() => {
        this.#underWay -= 1;
        this.#pump();
      });
    }
  }

  #next() {
    let bytes = 0;
    let count = 0;
    while (count < Math.min(PACK_FILES, this.#queue.length) && (count === 0 || bytes + this.#queue[count].wanted.size <= PACK_BYTES)) {
      bytes += this.#queue[count].wanted.size;
      count += 1;
    }
    return this.#queue.splice(0, count);
  }

  async #run(items) {
    let waited = 0;
    for (let attempt = 0; ; attempt += 1) {
      await this.#batch.turn();
      if (this.#batch.isOver) break;
      try {
        const { taken, waits } = await this.#send(items);
        this.#batch.say(waits ?? '');
        if (waits) {
          await this.#batch.pauseFor(STORE_BEHIND_S[Math.min(waited, STORE_BEHIND_S.length - 1)]);
          waited += 1;
          attempt = -1;
          continue;
        }
        items.forEach((item, at) => item.resolve(taken[at] === true));
        return;
      } catch (error) {
        if (FOR_ALL.includes(error.status)) this.#batch.stop(error);
        else if (!error.isPassing || (error.status === 0 && !(await areReadable(items)))) break;
        else await this.#batch.wait(BACK_OFF_S[Math.min(attempt, BACK_OFF_S.length - 1)], error);
      }
    }
    for (const item of items) item.resolve(false);
  }

  async #send(items) {
    const head = JSON.stringify({ files: items.map((item) => item.wanted) });
    const body = new Blob([`${head}\n`, ...items.map((item) => item.file)]);
    const headers = { Accept: 'application/json', 'Content-Type': 'application/octet-stream', 'X-CSRFToken': csrfToken() };
    let response;
    try {
      response = await fetch(this.#batch.packUrl, { method: 'POST', headers, body, credentials: 'same-origin', signal: this.#batch.signal });
    } catch {
      throw new Refusal(0, { error: word('offline') });
    }
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw new Refusal(response.status, answer);
    return answer;
  }
}

// A file that was moved away looks like a network that is gone.
async function areReadable(items) {
  try {
    await Promise.all(items.map(({ file }) => file.slice(0, 1).arrayBuffer()));
    return true;
  } catch {
    return false;
  }
}
