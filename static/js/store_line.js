// One worker for each bucket that files are sent to directly, shared by all its uploads of this page.

const lines = new Map();

export function lineTo(workerUrl) {
  if (!lines.has(workerUrl)) lines.set(workerUrl, new StoreLine(workerUrl));
  return lines.get(workerUrl);
}

class StoreLine {
  #worker = null;
  #last = 0;
  #asked = new Map();

  constructor(url) {
    this.url = url;
  }

  // Resolves with what the store answered; status 0 means that nothing could be read, for whatever reason.
  put(address, blob, { onProgress, signal }) {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const id = (this.#last += 1);
      const stop = () => {
        this.#worker?.postMessage({ id });
        reject(new DOMException('stopped', 'AbortError'));
        this.#asked.delete(id);
      };
      signal.addEventListener('abort', stop, { once: true });
      this.#asked.set(id, { resolve, onProgress, release: () => signal.removeEventListener('abort', stop) });
      this.#worker ??= this.#start();
      this.#worker.postMessage({ id, url: address, blob });
    });
  }

  #start() {
    const worker = new Worker(this.url, { type: 'module' });
    worker.onmessage = ({ data: { id, loaded, answer } }) => {
      if (answer) this.#settle(id, answer);
      else this.#asked.get(id)?.onProgress(loaded);
    };
    // Nobody is let through to its script any more, or the console restarts.
    worker.onerror = () => {
      this.#worker = null;
      for (const id of [...this.#asked.keys()]) this.#settle(id, { status: 0 });
    };
    return worker;
  }

  #settle(id, answer) {
    const one = this.#asked.get(id);
    if (!one || !this.#asked.delete(id)) return;
    one.release();
    one.resolve(answer);
  }
}
