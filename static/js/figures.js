// Sizes, rates and durations in words, equal to what `console/figures.py` says on the server.

import { word } from './strings.js';

const UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

export function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  let unit = 0;
  let whole = 1024;
  while (unit < UNITS.length - 1 && bytes >= whole * 1024) {
    whole *= 1024;
    unit += 1;
  }
  const digits = bytes < 10 * whole ? 2 : bytes < 100 * whole ? 1 : 0;
  const steps = 10 ** digits;
  // The whole part is taken off first, so that the product stays exact for every size a store can hold.
  const units = Math.floor(bytes / whole);
  const fraction = Math.floor(((bytes - units * whole) * steps) / whole);
  return digits ? `${units}.${String(fraction).padStart(digits, '0')} ${UNITS[unit]}` : `${units} ${UNITS[unit]}`;
}

export function rate(bytesPerSecond) {
  return `${size(Math.floor(bytesPerSecond))}/s`;
}

export function count(number) {
  return number.toLocaleString('en-US');
}

export function objectsRate(objectsPerSecond) {
  const shown = objectsPerSecond >= 10 ? count(Math.floor(objectsPerSecond)) : Math.floor(objectsPerSecond * 10) / 10;
  return word('objects-rate', { count: shown });
}

export function percent(done, total) {
  return done >= total ? 100 : Math.floor((done * 100) / total);
}

export function duration(seconds) {
  if (seconds < 60) return counted('second', Math.max(5, Math.ceil(seconds / 5) * 5));
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 60) return counted('minute', minutes);
  return word('hours', { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
}

function counted(name, count) {
  return word(count === 1 ? name : `${name}s`, { count });
}
