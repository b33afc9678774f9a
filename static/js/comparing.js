// Whether a file holds what is stored already: the parts that do not are told by their numbers.

import { crc64 } from './crc64.js';

// Each part: number, first_byte, size, crc64. `onProgress` hears of the bytes compared so far.
export async function differing(file, parts, { signal, onProgress }) {
  const found = [];
  let compared = 0;
  for (const part of parts) {
    const range = file.slice(part.first_byte, part.first_byte + part.size);
    const digest = await crc64(range, { signal, onProgress: (done) => onProgress(compared + done) });
    if (digest !== part.crc64) found.push(part.number);
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
