// Several uploads that wait for their files, and files that are dropped although an upload of theirs waits.

import { ask } from './answers.js';
import { element, icon } from './dom.js';
import { word } from './strings.js';
import { toast } from './toasts.js';
import { owns } from './uploads.js';
import { resume } from './waiting.js';

const ASK_AGAIN_MS = 20000;
const OPEN_ROWS = '[data-job][data-kind^="upload"]:is([data-state="queued"], [data-state="running"], [data-state="paused"], [data-state="parked"])';

let uploads = [];
let asked = 0;
let line = null;
const passed = new WeakSet();

async function refresh() {
  const tray = document.querySelector('[data-waiting-url]');
  if (!tray || !document.querySelector(OPEN_ROWS)) uploads = [];
  else if (Date.now() - asked > ASK_AGAIN_MS) {
    asked = Date.now();
    uploads = (await ask('GET', tray.dataset.waitingUrl).catch(() => ({ uploads: [] }))).uploads;
  }
  draw();
}

function waiting() {
  return uploads.filter((upload) => !owns(upload.job));
}

// One upload alone asks in its own row.
function draw() {
  const count = waiting().length;
  line ??= allLine();
  const tray = document.querySelector('[data-waiting-url]');
  if (tray && line.root.parentElement !== tray) tray.prepend(line.root);
  line.root.hidden = count < 2;
  line.text.textContent = word('waits-many', { count: count.toLocaleString(document.documentElement.lang) });
}

function allLine() {
  const text = element('span', {});
  const picker = element('input', { type: 'file', multiple: true, hidden: true, onchange: () => pick(picker) });
  const button = element('button', { type: 'button', class: 'btn btn-sm', onclick: () => picker.click() }, icon('file-upload'), word('choose-many'));
  return { text, root: element('div', { class: 'waits waits-many', hidden: true }, text, button, picker) };
}

function pick(picker) {
  const files = [...picker.files];
  picker.value = '';
  const strange = files.filter((file) => !match(file));
  if (strange.length) toast(word('waits-not', { names: strange.slice(0, 3).map((file) => file.name).join(', ') }), 'error');
  for (const file of files) goOn(file);
}

function match(file) {
  return waiting().find((upload) => upload.name === file.name && upload.size === file.size);
}

async function goOn(file) {
  const upload = match(file);
  if (!upload) return;
  // The next file of this name belongs to another upload.
  uploads = uploads.filter((one) => one !== upload);
  try {
    await resume(await ask('GET', upload.state_url), file);
  } catch (error) {
    toast(error.message, 'error');
  }
  draw();
}

// Before the page takes the files for new ones: all of them are waited for.
async function onDrop(event) {
  const files = [...(event.dataTransfer?.files ?? [])];
  if (passed.has(event) || !files.length || !files.every(match)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const { target } = event;
  const answer = await question(files);
  if (answer === 'continue') for (const file of files) goOn(file);
  if (answer === 'new') passOn(target, files);
}

function passOn(target, files) {
  const dataTransfer = new DataTransfer();
  for (const file of files) dataTransfer.items.add(file);
  const drop = new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true });
  passed.add(drop);
  target.dispatchEvent(drop);
}

function question(files) {
  const text = files.length === 1 ? word('waits-dropped', { place: match(files[0]).place }) : word('waits-dropped-many', { count: files.length });
  const button = (name, css) => element('button', { class: `btn ${css}`, value: name }, word(name === 'cancel' ? name : `waits-${name}`));
  const dialog = element(
    'dialog',
    { class: 'question', 'aria-label': text },
    element(
      'form',
      { method: 'dialog' },
      element('div', { class: 'question-body' }, element('p', { class: 'mb-0' }, text)),
      element('div', { class: 'question-foot' }, button('cancel', ''), button('new', ''), button('continue', 'btn-primary')),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
  });
}

// Without this a file that is dropped on a page that takes none would be opened instead.
document.addEventListener('dragover', (event) => {
  if (waiting().length && event.dataTransfer?.types.includes('Files')) event.preventDefault();
});
document.addEventListener('drop', onDrop, true);
document.body.addEventListener('htmx:afterSwap', refresh);
document.addEventListener('page:shown', refresh);
refresh();
