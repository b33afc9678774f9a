// The frame around every page: theme, menus, notices, the tray's door.

import { csrfToken } from './dom.js';
import { expire, show, toast } from './toasts.js';
import { word } from './strings.js';

const YEAR_S = 365 * 24 * 3600;

function rememberTheme(event) {
  const form = event.target.closest('[data-theme-form]');
  if (!form || !event.submitter) return;
  event.preventDefault();
  document.documentElement.dataset.theme = event.submitter.value;
  document.cookie = `console_theme=${event.submitter.value}; path=/; max-age=${YEAR_S}; SameSite=Lax`;
  document.dispatchEvent(new CustomEvent('theme:changed'));
  form.closest('details')?.removeAttribute('open');
}

function closeMenus(event) {
  for (const menu of document.querySelectorAll('details.menu[open]')) {
    if (!menu.contains(event.target)) menu.removeAttribute('open');
  }
}

function closeMenuByKey(event) {
  if (event.key !== 'Escape') return;
  const menu = event.target.closest?.('details.menu[open]');
  if (!menu) return;
  menu.removeAttribute('open');
  menu.querySelector('summary').focus();
}

// Opened by a person, the tray stays open on the next page, too; opened by an upload, it goes with it.
export function openTray(isOpen, { isLasting = true } = {}) {
  const tray = document.getElementById('tray');
  if (!tray) return;
  if (isLasting) sessionStorage.setItem('tray', isOpen ? 'open' : 'closed');
  tray.hidden = !isOpen;
  document.getElementById('tray-button')?.setAttribute('aria-expanded', String(isOpen));
  document.dispatchEvent(new Event('tray:moved'));
}

export function closeTrayUnlessUsed() {
  const tray = document.getElementById('tray');
  if (sessionStorage.getItem('tray') === 'open' || tray.matches(':hover, :focus-within')) return;
  openTray(false, { isLasting: false });
}

function onClick(event) {
  closeMenus(event);
  event.target.closest('[data-dismiss]')?.closest('[data-toast]')?.remove();
  if (event.target.closest('#tray-close')) {
    openTray(false);
    document.getElementById('tray-button')?.focus();
  }
  const door = event.target.closest('#tray-button, #tray-pill');
  if (door && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    openTray(document.getElementById('tray').hidden);
  }
}

function showFailure(event) {
  const answer = new DOMParser().parseFromString(event.detail.xhr.responseText, 'text/html');
  const notice = answer.querySelector('[data-toast]');
  if (notice) show(document.adoptNode(notice));
  else toast(word('failed', { status: event.detail.xhr.status }), 'error');
}

// What is on its way is busy, and what had the focus does not lose it to the top of the page.
let focused = null;

function markBusy(event) {
  event.detail.target?.setAttribute?.('aria-busy', 'true');
}

function noteFocus(event) {
  focused = event.detail.target?.contains?.(document.activeElement) ? event.detail.target.id : null;
}

function settle(event) {
  const id = event.detail.target?.id;
  event.detail.target?.removeAttribute?.('aria-busy');
  const place = id && document.getElementById(id);
  if (!place) return;
  place.removeAttribute('aria-busy');
  if (focused !== id || (document.activeElement && document.activeElement !== document.body)) return;
  const goal = place.querySelector('h1, h2, h3') ?? place;
  if (!goal.hasAttribute('tabindex')) goal.tabIndex = -1;
  goal.focus({ preventScroll: true });
}

// The tools beside it grow when something runs: the end of the way stays in sight.
const ways = new ResizeObserver((entries) => {
  for (const { target } of entries) target.scrollLeft = target.scrollWidth;
});

// Tabs and steps that do not fit: those of this page are in sight.
function showPlace() {
  ways.disconnect();
  for (const way of document.querySelectorAll('.topbar-crumbs')) ways.observe(way);
  for (const tab of document.querySelectorAll('.tabs [aria-current]')) {
    const row = tab.closest('ul') ?? tab.parentElement;
    row.scrollLeft = tab.offsetLeft - row.offsetLeft - (row.clientWidth - tab.offsetWidth) / 2;
  }
}

document.addEventListener('submit', rememberTheme);
document.addEventListener('click', onClick);
document.addEventListener('keydown', closeMenuByKey);
document.body.addEventListener('htmx:configRequest', (event) => {
  event.detail.headers['X-CSRFToken'] = csrfToken();
});
document.body.addEventListener('htmx:beforeRequest', markBusy);
document.body.addEventListener('htmx:beforeSwap', noteFocus);
document.body.addEventListener('htmx:afterSettle', settle);
document.body.addEventListener('htmx:afterRequest', (event) => event.detail.target?.removeAttribute?.('aria-busy'));
document.addEventListener('page:shown', showPlace);
showPlace();
document.body.addEventListener('htmx:responseError', showFailure);
document.body.addEventListener('htmx:sendError', () => toast(word('offline'), 'error'));
document.body.addEventListener('toast', (event) => toast(event.detail.message, event.detail.level));
document.querySelectorAll('#toasts [data-toast]').forEach(expire);
// On a phone it would cover the page that was asked for.
if (sessionStorage.getItem('tray') === 'open' && matchMedia('(min-width: 48em)').matches) openTray(true);
