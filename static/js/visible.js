// Keys as a person can read them, with the signs that `apps/storage/keys.py` draws.

import { element } from './dom.js';

// Joiners belong to emoji and to several scripts; beside ASCII or at an end they only make look-alikes.
const JOINER = '[\\u200c\\u200d]';
const HIDDEN = new RegExp(
  `(?!${JOINER})[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}]|(?! )\\p{Zs}|^ +| +$|(?<![^\\x00-\\x7f])${JOINER}|${JOINER}(?![^\\x00-\\x7f])`,
  'gu',
);

function signOf(hidden) {
  const code = hidden.codePointAt(0);
  if (code === 0x20) return '␠'.repeat(hidden.length);
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return '␡';
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

export function visibleKey(key) {
  const shown = element('bdi', { class: 'key' });
  let from = 0;
  for (const match of key.matchAll(HIDDEN)) {
    shown.append(key.slice(from, match.index), element('span', { class: 'sign' }, signOf(match[0])));
    from = match.index + match[0].length;
  }
  shown.append(key.slice(from));
  return shown;
}
