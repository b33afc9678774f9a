// Cells that a listing cannot fill are asked for when their rows come into view, some rows at a time.

import { csrfToken } from './dom.js';
import { boxOf, keyOf, list } from './rows.js';

const AT_ONCE = 25;
const WAIT_MS = 150;

const wanted = new Set();
let timer = 0;
let isAsking = false;

const watcher = new IntersectionObserver((seen) => {
  for (const { isIntersecting, target } of seen) {
    if (isIntersecting) wanted.add(target);
    else wanted.delete(target);
  }
  schedule();
});

function schedule() {
  clearTimeout(timer);
  if (wanted.size && !isAsking) timer = setTimeout(ask, WAIT_MS);
}

async function ask() {
  const some = [...wanted].slice(0, AT_ONCE);
  const isHere = some.filter((row) => row.isConnected);
  some.forEach((row) => {
    wanted.delete(row);
    watcher.unobserve(row);
  });
  if (isHere.length) {
    isAsking = true;
    await fill(isHere);
    isAsking = false;
  }
  schedule();
}

async function fill(some) {
  const body = new URLSearchParams(some.map((row) => ['key', keyOf(row)]));
  try {
    const answer = await fetch(list().dataset.checksUrl, { method: 'POST', body, headers: { 'X-CSRFToken': csrfToken(), 'HX-Request': 'true' } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const found = new Map([...page.querySelectorAll('tr')].map((line) => [line.dataset.key, line]));
    for (const row of some) put(row, found.get(keyOf(row)));
  } catch {
    // The cells keep saying that nobody has looked, and their button looks again.
  }
}

function put(row, line) {
  for (const cell of line?.cells ?? []) {
    const target = row.querySelector(`[data-unread="${cell.dataset.cell}"]`);
    if (!target) continue;
    target.replaceChildren(...cell.childNodes);
    delete target.dataset.unread;
  }
}

function watch() {
  wanted.clear();
  watcher.disconnect();
  if (!list()?.dataset.checksUrl) return;
  for (const cell of list().querySelectorAll('td[data-unread]')) {
    const row = cell.closest('tr');
    if (boxOf(row)) watcher.observe(row);
  }
}

for (const shown of ['htmx:afterSettle', 'page:shown']) document.addEventListener(shown, watch);
watch();
