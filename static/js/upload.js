// Files from disk into the folder on screen: dropped anywhere on the page, or picked.

import { BasePlugin, DropTarget, Uppy } from '../vendor/uppy/uppy.min.mjs';
import { ask } from './answers.js';
import { Conflicts, numbered } from './conflicts.js';
import { element, icon } from './dom.js';
import { Sender } from './sender.js';
import { word } from './strings.js';
import { begin } from './uploads.js';
import './waiting.js';

// Firefox repeats dragover about three times a second, Chromium far more often.
const VEIL_LINGERS_MS = 500;
const REFRESH_MS = 800;

// The page may be exchanged while uploads run, so the folder is looked up when files arrive.
const target = () => document.querySelector('[data-upload]');

let batch = 0;

// Uppy's uploader: each file goes to the console in slices instead of in one request.
class SliceUpload extends BasePlugin {
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
    const conflicts = new Conflicts();
    const files = ids.map((id) => this.uppy.getFile(id));
    this.uppy.emit('upload-start', files);
    await Promise.all(files.map((file) => this.#send(file, conflicts)));
  };

  async #send(file, conflicts) {
    const { key, startUrl } = file.meta;
    const sender = new Sender({ file: file.data, key, start: (own) => startUpload(own, startUrl, conflicts) });
    await begin(sender);
    // Uppy takes a file that it still lists for a duplicate, and sends failed ones again by itself.
    this.uppy.removeFile(file.id);
  }
}

async function startUpload(sender, startUrl, conflicts) {
  const { file } = sender;
  const wanted = { size: file.size, type: file.type, last_modified: file.lastModified };
  let key = sender.key;
  let replace = false;
  let answer = null;
  for (let number = 0; ; ) {
    try {
      return await ask('POST', startUrl, { ...wanted, key, replace });
    } catch (error) {
      if (!error.exists) throw error;
      answer ??= await conflicts.ask(key, error.exists);
    }
    if (answer === 'skip') return null;
    if (answer === 'replace') replace = true;
    else key = numbered(sender.key, (number += 1));
  }
}

const uppy = new Uppy({
  autoProceed: true,
  onBeforeFileAdded: (file) => {
    const place = target();
    if (!place) return false;
    batch += 1;
    const path = file.meta.relativePath || file.name;
    const key = place.dataset.prefix + path.replace(/^\/+/, '');
    return { ...file, id: `${file.id}-${batch}`, meta: { ...file.meta, key, startUrl: place.dataset.upload } };
  },
});
uppy.use(SliceUpload);
uppy.use(DropTarget, { target: document.body, onDragOver: showVeil, onDrop: hideVeil });

function addPicked(input) {
  const files = [...input.files].map((file) => ({
    source: 'picker',
    name: file.name,
    type: file.type,
    data: file,
    meta: { relativePath: file.webkitRelativePath || null },
  }));
  if (files.length) uppy.addFiles(files);
  // The same file may be picked again.
  input.value = '';
}

let veil = null;
let lingering = null;

// Drag events fire for every element that is passed; the veil goes when none came for a moment.
function showVeil() {
  const place = target();
  if (!place) return;
  clearTimeout(lingering);
  lingering = setTimeout(hideVeil, VEIL_LINGERS_MS);
  if (veil) return;
  const text = word('drop', { place: place.dataset.place });
  veil = element('div', { class: 'drop-veil' }, element('div', { class: 'drop-veil-card' }, icon('upload'), text));
  document.body.append(veil);
}

function hideVeil() {
  clearTimeout(lingering);
  veil?.remove();
  veil = null;
}

// The list on screen shows what arrived in its folder, many files with one request.
let refreshing = null;

function refreshList(event) {
  const place = target();
  const list = document.getElementById('object-list');
  if (!place || !list || !event.detail.key.startsWith(place.dataset.prefix)) return;
  refreshing ??= setTimeout(() => {
    refreshing = null;
    window.htmx.ajax('GET', location.pathname + location.search, { target: '#object-list', swap: 'outerHTML' });
  }, REFRESH_MS);
}

document.body.addEventListener('upload:stored', refreshList);
document.addEventListener('change', (event) => {
  if (event.target.matches('[data-upload-pick]')) addPicked(event.target);
});
document.addEventListener('click', (event) => {
  const opener = event.target.closest('[data-upload-open]');
  if (!opener) return;
  opener.closest('details.menu')?.removeAttribute('open');
  document.querySelector(`[data-upload-pick="${opener.dataset.uploadOpen}"]`)?.click();
});
