// Whether a file holds what is stored already: the parts that do not are told by their numbers.

import { crc64 } from './crc64.js';
import { md5 } from './md5.js';

// Each part: number, first_byte, size, and a crc64, or an md5 where the console did not send it itself.
// Answers the numbers that differ by either, and the CRC-64 of all that fit. `onProgress` hears of bytes.
export async function compare(file, parts, { signal, onProgress }) {
  const found = { differing: [], doubtful: [], fitting: {} };
  let compared = 0;
  for (const part of parts) {
    const range = file.slice(part.first_byte, part.first_byte + part.size);
    const digest = await crc64(range, { signal, onProgress: (done) => onProgress(compared + done) });
    if (part.crc64 && digest !== part.crc64) found.differing.push(part.number);
    else if (!part.crc64 && (await md5(range)) !== part.md5) found.doubtful.push(part.number);
    else found.fitting[part.number] = digest;
    signal.throwIfAborted();
    compared += part.size;
  }
  return found;
}

export function bytesOf(parts) {
  return parts.reduce((sum, part) => sum + part.size, 0);
}

// “3 and 7”; of many only the first few, and how many more.
export function listed(numbers, { limit = 8 } = {}) {
  const language = document.documentElement.lang;
  const shown = numbers.slice(0, limit).map((number) => number.toLocaleString(language));
  if (numbers.length > limit) shown.push(`+${(numbers.length - limit).toLocaleString(language)}`);
  return new Intl.ListFormat(language, { type: 'conjunction' }).format(shown);
}
