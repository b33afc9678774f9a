// The MD5 of a blob in hexadecimal digits, computed in a worker, with a few MiB in memory at most.

let worker = null;
let last = 0;
const asked = new Map();

// Rejects with NotReadableError for a file that cannot be read any more.
export function md5(blob) {
  return new Promise((resolve, reject) => {
    const id = (last += 1);
    asked.set(id, { resolve, reject });
    worker ??= start();
    worker.postMessage({ id, blob });
  });
}

function start() {
  const made = new Worker(new URL('./md5_worker.js', import.meta.url), { type: 'module' });
  made.onmessage = ({ data }) => answer(data);
  made.onerror = () => {
    worker = null;
    for (const id of [...asked.keys()]) answer({ id, failure: 'the worker could not run' });
  };
  return made;
}

function answer({ id, text, failure }) {
  const one = asked.get(id);
  asked.delete(id);
  if (failure === undefined) one?.resolve(text);
  else one?.reject(new DOMException(failure, 'NotReadableError'));
}
