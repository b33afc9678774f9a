// Short words about what just happened. Errors stay until somebody has read them.

import { element, icon } from './dom.js';
import { word } from './strings.js';

const STAYS_MS = 6000;
const AT_MOST = 3;
const ICONS = { success: 'circle-check', warning: 'alert-triangle', error: 'alert-circle', info: 'info-circle' };

export function toast(text, level = 'info') {
  const close = element('button', { type: 'button', class: 'notice-close', 'data-dismiss': true, 'aria-label': word('dismiss') }, icon('x'));
  const notice = element(
    'div',
    { class: `notice notice-${level}`, 'data-toast': level, role: level === 'error' ? 'alert' : null },
    icon(ICONS[level] ?? ICONS.info),
    element('div', { class: 'notice-text' }, text),
    close,
  );
  show(notice);
}

export function show(notice) {
  const stack = document.getElementById('toasts');
  const old = [...stack.querySelectorAll('[data-toast]')];
  stack.append(notice);
  // Room is made by the oldest that would go by itself, and by the oldest error when there is none.
  const isError = (one) => one.dataset.toast === 'error';
  const leaving = [...old.filter((one) => !isError(one)), ...old.filter(isError)];
  leaving.slice(0, Math.max(0, old.length + 1 - AT_MOST)).forEach((one) => one.remove());
  expire(notice);
}

export function expire(notice) {
  if (notice.dataset.toast === 'error') return;
  setTimeout(() => {
    if (notice.matches(':hover, :focus-within')) expire(notice);
    else notice.remove();
  }, STAYS_MS);
}
