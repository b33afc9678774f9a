// What the console and the files themselves say before the first byte: names in chunks, contents one by one.

import { ask } from './answers.js';
import { crc64 } from './crc64.js';
import { word } from './strings.js';

const AT_ONCE = 500;
const COMPARED_AT_ONCE = 8;

// Ask about every file that was not asked about yet. Returns what was said about the way that files take.
export async function checkNames(files, { url, prefix, signal, onProgress }) {
  // In the order of the store, so that a chunk lies close together there.
  const asked = files.filter((one) => !one.answer).sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  let path = null;
  for (let from = 0; from < asked.length && !signal.aborted; from += AT_ONCE) {
    const chunk = asked.slice(from, from + AT_ONCE);
    const keys = chunk.map((one) => one.key);
    try {
      const said = await ask('POST', url, { prefix, files: chunk.map((one) => ({ key: one.key, size: one.size })) });
      chunk.forEach((one, at) => one.key === keys[at] && (one.answer = said.files[at]));
      path = said.path ?? path;
    } catch (error) {
      // The start of each upload looks again, so that a check that fails stops nothing.
      for (const one of chunk) one.answer = { state: 'unknown', problem: error.message };
    }
    onProgress(Math.min(from + AT_ONCE, asked.length), asked.length);
  }
  return path;
}

export const isToCompare = (one) => one.state === 'comparing' && !one.action;

// Compare the content of files whose size fits with what is there, and tell after each. Several at once: of many
// small ones the way to the worker and back takes longer than their bytes.
export async function compareContents(files, how) {
  const left = files[Symbol.iterator]();
  await Promise.all(Array.from({ length: COMPARED_AT_ONCE }, () => compareAll(left, how)));
}

async function compareAll(files, { signal, onProgress }) {
  for (const one of files) {
    if (signal.aborted) return;
    if (!isToCompare(one)) continue;
    const { answer } = one;
    try {
      const sum = await crc64(one.file, { signal, onProgress: (done) => onProgress(one, done) });
      if (one.answer === answer) one.compared = sum === answer.crc64 ? 'identical' : 'different';
    } catch {
      if (signal.aborted) return;
      one.answer = { state: 'problem', stands: 'same-size', problem: word('unreadable'), refused: true, better: '' };
    }
    onProgress(one, one.size);
  }
}
