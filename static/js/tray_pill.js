// What runs, in a few words, while the tray is closed.

import { word } from './strings.js';

const DRAW_MS = 1000;
const ENDED = ['done', 'canceled'];

let drawing = null;

// The rows of the server and the lines of this page; of one upload never both are shown.
function moving() {
  return [...document.querySelectorAll('#tray .tray-body > * .job:not([hidden])')].filter((row) => !row.closest('.batch-files') && !ENDED.includes(row.dataset.state));
}

function fractionOf(row) {
  const bar = row.querySelector('progress');
  return bar?.hasAttribute('value') ? bar.value / (bar.max || 1) : 0;
}

function draw() {
  drawing = null;
  const pill = document.getElementById('tray-pill');
  const tray = document.getElementById('tray');
  if (!pill || !tray) return;
  const rows = moving();
  pill.hidden = !tray.hidden || rows.length === 0;
  if (pill.hidden) return;
  const percent = Math.floor((rows.reduce((sum, row) => sum + fractionOf(row), 0) / rows.length) * 100);
  const text = word('pill', { count: rows.length, percent });
  const label = pill.querySelector('span');
  if (label.textContent !== text) label.textContent = text;
  pill.classList.toggle('is-bad', rows.some((row) => row.dataset.state === 'parked' || row.querySelector('[role="alert"]:not([hidden])')));
  later();
}

function later() {
  drawing ??= setTimeout(draw, DRAW_MS);
}

document.addEventListener('tray:moved', draw);
document.addEventListener('job:message', later);
document.addEventListener('page:shown', later);
document.body.addEventListener('htmx:afterSwap', later);
later();
