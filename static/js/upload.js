// Files from disk into a folder: dropped on the list or on a folder in it, picked, or pasted. A sheet comes first.

import { BasePlugin, DropTarget, Uppy } from '../vendor/uppy/uppy.min.mjs';
import { ask } from './answers.js';
import { Conflicts, numbered } from './conflicts.js';
import { element, icon } from './dom.js';
import { Sender } from './sender.js';
import { Sheet } from './sheet.js';
import { SheetFile } from './sheet_files.js';
import { word } from './strings.js';
import { toast } from './toasts.js';
import { batchOpen, begin } from './uploads.js';
import './waiting.js';

// Firefox repeats dragover about three times a second, Chromium far more often.
const VEIL_LINGERS_MS = 500;
const REFRESH_MS = 800;
const TIDY_MS = 500;
// Less says nothing about the line.
const MEASURED_FROM_BYTES = 8 << 20;
const ASK = 'upload-ask';

// The page may be exchanged while uploads run, so the folder is looked up when files arrive.
const target = () => document.querySelector('[data-upload]');

function placeOf(prefix = null) {
  const { dataset } = target();
  const { upload: start, many, preflight, sheet, bucket } = dataset;
  return { start, many, preflight, sheet, bucket, prefix: prefix ?? dataset.prefix };
}

let number = 0;
let sheet = null;
const later = [];
// The folder that is under the pointer while files are dragged, null for the one on screen.
let folder = null;
// Where they were dropped, while they are being read from disk: meanwhile the page may show another folder.
let dropped = null;
let isReading = false;

// Puts files before a person; those that arrive while a sheet for the same folder is open join it.
function offer(descriptors, { place = target() && placeOf(), isAsking = localStorage.getItem(ASK) === 'true' } = {}) {
  if (!place || descriptors.length === 0) return;
  const files = descriptors.map((one) => fileOf(one, place));
  if (sheet?.isOpen && !sheet.isStarting && sheet.place.prefix === place.prefix && sheet.place.start === place.start) {
    sheet.add(files);
    return;
  }
  // A second folder waits for its turn: two sheets at once would be one too many.
  if (sheet?.isOpen) {
    later.push([descriptors, { place, isAsking }]);
    return;
  }
  const end = () => later.length && offer(...later.shift());
  sheet = new Sheet(place, { open: (plans) => batchOf(plans, place), begin: (plans, batch) => uppy.send(plans, batch), end, isAsking, rateOf });
  sheet.add(files);
}

function fileOf({ data, name, meta, isNameOffered = false }, place) {
  const path = meta?.relativePath || name;
  number += 1;
  const file = new SheetFile(`file-${number}`, data, place.prefix + path.replace(/^\/+/, ''));
  file.isNameOffered = isNameOffered;
  return file;
}

// Uppy with the sheet before it. Its own way copies its list for each file, which ten thousand make a freeze.
class Client extends Uppy {
  addFiles(descriptors) {
    offer(descriptors, dropped ? { place: dropped } : {});
  }

  async send(plans, batch) {
    const files = Object.fromEntries(plans.map((plan) => [plan.id, this.#fileOf(plan, batch)]));
    this.setState({ files: { ...this.getState().files, ...files } });
    const begun = performance.now();
    await this.upload();
    const bytes = plans.reduce((sum, { file }) => sum + file.size, 0);
    if (bytes >= MEASURED_FROM_BYTES && batch.isWhole) measured = bytes / ((performance.now() - begun) / 1000);
  }

  #fileOf(plan, batch) {
    const { id, file, key, type } = plan;
    const progress = { percentage: 0, bytesUploaded: false, bytesTotal: file.size, uploadComplete: false, uploadStarted: null };
    const shown = { id, name: file.name, type, data: file, size: file.size, extension: '', source: 'sheet', isGhost: false, isRemote: false };
    return { ...shown, progress, meta: { name: file.name, type, key, plan, batch } };
  }
}

// What uploads of this page came to, in bytes per second, for the next sheet.
let measured = 0;
const rateOf = () => measured;

// Many files are one job, which the console follows.
async function batchOf(plans, place) {
  const batch = { start: place.start, many: null, conflicts: new Conflicts(), isWhole: true };
  if (plans.length < 2 || !place.many) return batch;
  const bytes = plans.reduce((sum, { file }) => sum + file.size, 0);
  const many = await batchOpen(place.many, { prefix: folderOf(plans), bucket: place.bucket, files: plans.length, bytes });
  return { ...batch, many };
}

// The folder that all of them go into: a folder that was picked rather than the one on screen.
function folderOf(plans) {
  let common = plans[0].key;
  for (const { key } of plans) while (!key.startsWith(common)) common = common.slice(0, -1);
  return common.slice(0, common.lastIndexOf('/') + 1);
}

// Uppy's uploader: each file goes to the console or the store in slices instead of in one request.
class SliceUpload extends BasePlugin {
  #gone = [];

  constructor(uppy, options) {
    super(uppy, options);
    this.id = 'SliceUpload';
    this.type = 'uploader';
  }

  install() {
    this.uppy.addUploader(this.upload);
  }

  uninstall() {
    this.uppy.removeUploader(this.upload);
  }

  upload = async (ids) => {
    const files = ids.map((id) => this.uppy.getFile(id));
    this.uppy.emit('upload-start', files);
    await Promise.all(files.map((file) => this.#send(file)));
  };

  async #send(file) {
    const { key, plan, batch } = file.meta;
    const sender = new Sender({ file: file.data, key, start: (own) => startUpload(own, plan, batch) });
    await begin(sender, { batch: batch.many, wanted: packed(plan, key, wantedOf(file.data, plan, batch)) });
    if (!sender.job && !sender.isSettled) batch.isWhole = false;
    this.#forget(file.id);
  }

  // Uppy sends failed files that it still lists again by itself. Each removal copies its list, so they go together.
  #forget(id) {
    this.#gone.push(id);
    if (this.#gone.length > 1) return;
    setTimeout(() => {
      const gone = this.#gone.splice(0);
      this.uppy.removeFiles(gone.filter((one) => this.uppy.getFile(one)));
    }, TIDY_MS);
  }
}

function wantedOf(file, plan, batch) {
  const { type, options } = plan;
  const wanted = { size: file.size, type, last_modified: file.lastModified, options, seen: plan.seen ?? '' };
  return batch.many ? { ...wanted, parent: batch.many.parent } : wanted;
}

// A small file goes with others in one request, unless what becomes of it is decided on the way.
function packed(plan, key, wanted) {
  return ['send', 'replace'].includes(plan.action) ? { ...wanted, key, job: jobOf(plan, key), replace: plan.action === 'replace' } : null;
}

// An answer that is lost on its way is asked for again under the same id, and nothing begins twice.
function jobOf(plan, key) {
  plan.jobs ??= new Map();
  if (!plan.jobs.has(key)) plan.jobs.set(key, newId());
  return plan.jobs.get(key);
}

// randomUUID is there on secure pages only.
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function startUpload(sender, plan, batch) {
  let answer = plan.action;
  let copy = answer === 'keep-both' ? 1 : 0;
  for (;;) {
    const key = copy ? numbered(sender.key, copy) : sender.key;
    try {
      const wanted = wantedOf(sender.file, plan, batch);
      return await ask('POST', batch.start, { ...wanted, key, job: jobOf(plan, key), replace: answer === 'replace' });
    } catch (error) {
      if (!error.exists) throw error;
      // Somebody was faster than the sheet, or the check had not come so far. To replace one object is no leave
      // to replace the next.
      if (answer !== 'keep-both') answer = await batch.conflicts.ask(key, error.exists);
      plan.action = answer;
      plan.seen = error.exists.etag ?? '';
    }
    if (answer === 'skip') return null;
    if (answer === 'keep-both') copy += 1;
  }
}

const uppy = new Client({ autoProceed: false });
uppy.use(SliceUpload);
uppy.use(DropTarget, { target: document.body, onDragOver: showVeil, onDrop: endDrop });

function addPicked(input) {
  const picked = [...input.files].map((data) => ({ data, name: data.name, meta: { relativePath: data.webkitRelativePath || null } }));
  offer(picked);
  // The same file may be picked again.
  input.value = '';
}

const PASTED = { 'text/plain': 'txt', 'text/html': 'html', 'image/png': 'png', 'image/jpeg': 'jpg', 'image/gif': 'gif', 'image/webp': 'webp' };

// What is pasted has no name that says anything: one is offered, and the sheet stays open for it.
function addPasted(event) {
  const isTyping = event.target.closest?.('input, textarea, select, [contenteditable]');
  if (isTyping || !target() || document.querySelector('dialog[open]')) return;
  const { clipboardData } = event;
  let files = [...(clipboardData?.files ?? [])];
  if (!files.length && clipboardData?.getData('text/plain')) files = [new File([clipboardData.getData('text/plain')], '', { type: 'text/plain' })];
  if (!files.length) return;
  event.preventDefault();
  const moment = new Date().toISOString().slice(0, 19).replace('T', '-').replaceAll(':', '');
  const named = files.map((data, at) => {
    const isNamed = data.name && !/^image\.\w+$/.test(data.name);
    const ending = PASTED[data.type] ?? 'bin';
    const name = isNamed ? data.name : `${word('sheet-pasted')}-${moment}${at ? `-${at + 1}` : ''}.${ending}`;
    return { data, name, isNameOffered: at === 0 };
  });
  offer(named, { isAsking: true });
}

let veil = null;
let lingering = null;

function folderUnder(event) {
  const row = event.target.closest?.('#object-list tbody tr');
  return row?.querySelector('input[name="folder"]') ?? null;
}

// Drag events fire for every element that is passed; the veil goes when none came for a moment.
function showVeil(event) {
  const place = target();
  if (!place) return;
  const input = folderUnder(event);
  folder = input ? decodeURIComponent(input.value) : null;
  clearTimeout(lingering);
  lingering = setTimeout(hideVeil, VEIL_LINGERS_MS);
  veil ??= element('div', { class: 'drop-veil' }, element('div', { class: 'drop-veil-card' }, icon('upload'), element('span')));
  const text = word('drop', { place: folder === null ? place.dataset.place : `${place.dataset.bucket}/${folder}` });
  const label = veil.querySelector('span');
  if (label.textContent !== text) label.textContent = text;
  if (!veil.isConnected) document.body.append(veil);
  const row = input?.closest('tr');
  for (const old of document.querySelectorAll('tr.is-drop-target')) if (old !== row) old.classList.remove('is-drop-target');
  row?.classList.add('is-drop-target');
}

function hideVeil() {
  clearTimeout(lingering);
  veil?.remove();
  for (const old of document.querySelectorAll('tr.is-drop-target')) old.classList.remove('is-drop-target');
}

// Reading a folder from disk takes a while, and Uppy does not say which drop its files are of.
function takeDrop(event) {
  if (!event.dataTransfer?.types.includes('Files')) return;
  if (isReading) {
    event.preventDefault();
    event.stopPropagation();
    toast(word('sheet-reading'), 'warning');
  } else {
    isReading = true;
    const input = folderUnder(event);
    dropped = target() && placeOf(input ? decodeURIComponent(input.value) : null);
  }
  hideVeil();
}

function endDrop() {
  isReading = false;
  dropped = null;
}

// A list says of a folder that it is there, which more files in it do not change.
function hasFolderOf(key, prefix) {
  const end = key.indexOf('/', prefix.length) + 1;
  const folders = [...document.querySelectorAll('#object-list input[name="folder"]')];
  return end > 0 && folders.some((input) => decodeURIComponent(input.value) === key.slice(0, end));
}

// The list on screen shows what arrived in its folder, many files with one request.
let refreshing = null;

function refreshList(event) {
  const place = target();
  const list = document.getElementById('object-list');
  if (!place || !list || !event.detail.key.startsWith(place.dataset.prefix) || hasFolderOf(event.detail.key, place.dataset.prefix)) return;
  refreshing ??= setTimeout(() => {
    refreshing = null;
    window.htmx.ajax('GET', location.pathname + location.search, { target: '#object-list', swap: 'outerHTML' });
  }, REFRESH_MS);
}

document.body.addEventListener('upload:stored', refreshList);
document.addEventListener('change', (event) => {
  if (event.target.matches('[data-upload-pick]')) addPicked(event.target);
  if (event.target.matches('[data-upload-ask]')) localStorage.setItem(ASK, String(event.target.checked));
});
document.addEventListener('click', (event) => {
  const opener = event.target.closest('[data-upload-open]');
  if (!opener) return;
  opener.closest('details.menu')?.removeAttribute('open');
  document.querySelector(`[data-upload-pick="${opener.dataset.uploadOpen}"]`)?.click();
});
document.addEventListener('paste', addPasted);
document.addEventListener('drop', takeDrop, true);

function showAsk() {
  for (const box of document.querySelectorAll('[data-upload-ask]')) box.checked = localStorage.getItem(ASK) === 'true';
}

document.addEventListener('page:shown', showAsk);
showAsk();
