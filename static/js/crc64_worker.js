// Reads blobs a piece at a time and answers their CRC-64, away from the page that must stay quick.

import { Crc64 } from './crc64_sum.js';

const PIECE = 2 * 1024 * 1024;

const stopped = new Set();

async function sum(id, blob) {
  const crc = new Crc64();
  for (let at = 0; at < blob.size; at += PIECE) {
    const bytes = new Uint8Array(await blob.slice(at, at + PIECE).arrayBuffer());
    if (stopped.has(id)) return;
    crc.update(bytes);
    postMessage({ id, done: at + bytes.length });
  }
  postMessage({ id, text: crc.text });
}

async function onMessage({ data: { id, blob } }) {
  if (!blob) {
    stopped.add(id);
    return;
  }
  try {
    await sum(id, blob);
  } catch (error) {
    // A file that was moved or changed since it was picked cannot be read.
    postMessage({ id, failure: error.message });
  }
  stopped.delete(id);
}

addEventListener('message', onMessage);
