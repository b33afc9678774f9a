// The frame around every page: theme, menus, notices, the tray's door.

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
  const door = event.target.closest('#tray-button');
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

document.addEventListener('submit', rememberTheme);
document.addEventListener('click', onClick);
document.addEventListener('keydown', closeMenuByKey);
document.body.addEventListener('htmx:responseError', showFailure);
document.body.addEventListener('htmx:sendError', () => toast(word('offline'), 'error'));
document.body.addEventListener('toast', (event) => toast(event.detail.message, event.detail.level));
document.querySelectorAll('#toasts [data-toast]').forEach(expire);
// On a phone it would cover the page that was asked for.
if (sessionStorage.getItem('tray') === 'open' && matchMedia('(min-width: 48em)').matches) openTray(true);
