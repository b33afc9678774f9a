// While files are being sent, links exchange the page around the tray instead of leaving it.

import { isSending } from './uploads.js';

// The address that was last put on the page, '' while it is the one that was loaded.
let shown = '';

const addressOf = (place) => place.pathname + place.search;

function isOurs(event, link) {
  const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  const isHere = link.origin === location.origin && !link.target && !link.hasAttribute('download');
  return isPlain && isHere && !link.closest('[hx-get], [hx-boost], [data-leave]') && link.getAttribute('href')?.[0] !== '#';
}

function onClick(event) {
  const link = event.target.closest('a[href]');
  if (!link || event.defaultPrevented || !isSending() || !isOurs(event, link)) return;
  event.preventDefault();
  show(link.href, { isNew: true });
}

async function show(url, { isNew }) {
  let response;
  try {
    response = await fetch(url, { headers: { Accept: 'text/html' }, credentials: 'same-origin' });
  } catch {
    location.assign(url);
    return;
  }
  const page = new DOMParser().parseFromString(await response.text(), 'text/html');
  const next = page.getElementById('page');
  // A download, or a page with a frame of its own: the browser asks before it leaves.
  if (!next || !response.headers.get('Content-Type')?.startsWith('text/html')) {
    location.assign(url);
    return;
  }
  exchange(next, page);
  if (isNew) history.pushState({}, '', response.url);
  shown = addressOf(location);
  window.scrollTo(0, 0);
  document.getElementById('main').focus({ preventScroll: true });
  document.dispatchEvent(new Event('page:shown'));
}

function exchange(next, page) {
  document.title = page.title;
  const scripts = [...next.querySelectorAll('script[src]')];
  scripts.forEach((script) => script.remove());
  document.getElementById('page').replaceWith(document.adoptNode(next));
  window.htmx.process(next);
  const notices = page.querySelectorAll('#toasts [data-toast]');
  document.getElementById('toasts').append(...[...notices].map((notice) => document.adoptNode(notice)));
  for (const script of scripts) load(script);
}

// Scripts of pages listen on the document, so each is needed once.
function load(script) {
  if (document.querySelector(`script[src="${script.getAttribute('src')}"]`)) return;
  const fresh = document.createElement('script');
  fresh.src = script.getAttribute('src');
  fresh.type = script.type;
  document.head.append(fresh);
}

document.addEventListener('click', onClick);
// Back and forward lead to pages that were exchanged, too. Entries that htmx made are its own.
window.addEventListener('popstate', (event) => {
  if (!shown || event.state?.htmx || addressOf(location) === shown) return;
  if (isSending()) show(location.href, { isNew: false });
  else location.reload();
});
