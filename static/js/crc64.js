// The CRC-64/XZ of a blob as unsigned decimal text, computed in a worker, with a few MiB in memory at most.

let worker = null;
let last = 0;
const asked = new Map();

// Rejects with the signal's AbortError, or with NotReadableError for a file that cannot be read any more.
export function crc64(blob, { signal = null, onProgress = () => {} } = {}) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const id = (last += 1);
    const stop = () => {
      worker?.postMessage({ id });
      finish(id, () => reject(signal.reason));
    };
    asked.set(id, { resolve, reject, onProgress, release: () => signal?.removeEventListener('abort', stop) });
    signal?.addEventListener('abort', stop);
    worker ??= start();
    worker.postMessage({ id, blob });
  });
}

function start() {
  const made = new Worker(new URL('./crc64_worker.js', import.meta.url), { type: 'module' });
  made.onmessage = ({ data }) => answer(data);
  made.onerror = () => {
    worker = null;
    for (const id of [...asked.keys()]) answer({ id, failure: 'the worker could not run' });
  };
  return made;
}

function answer({ id, done, text, failure }) {
  const one = asked.get(id);
  if (!one) return;
  if (done !== undefined) one.onProgress(done);
  if (text !== undefined) finish(id, () => one.resolve(text));
  if (failure !== undefined) finish(id, () => one.reject(new DOMException(failure, 'NotReadableError')));
}

function finish(id, settle) {
  asked.get(id)?.release();
  if (asked.delete(id)) settle();
}
