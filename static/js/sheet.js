// The upload sheet: how each file stands, and what it will get, before the first byte. It begins by itself when
// there is nothing to decide about a few new files.

import { ask } from './answers.js';
import { csrfToken } from './dom.js';
import { count, duration, rate, size } from './figures.js';
import { checkNames, compareContents, isToCompare } from './sheet_check.js';
import { findClashes, grouped } from './sheet_files.js';
import { hasRemembered, SheetOptions } from './sheet_options.js';
import { SheetRows } from './sheet_rows.js';
import { word } from './strings.js';
import { toast } from './toasts.js';
import { visibleKey } from './visible.js';

// More new files than this are looked at by a person first.
const BY_ITSELF = 4;
// A check that takes longer than this is shown.
const SHOW_AFTER_MS = 400;
const DRAW_MS = 300;

export class Sheet {
  files = [];
  #dialog = null;
  #rows = null;
  #options = null;
  #shown = '';
  #stop = new AbortController();
  #path = null;
  #checked = 0;
  #toCheck = 0;
  #checking = 0;
  #comparing = false;
  #soon = null;
  #drawn = null;
  #isOver = false;
  #isStarting = false;
  #failure = '';

  // `place` has the addresses and the folder; `open` tells the console of what is to be sent, and `begin` gets
  // that and its answer; `isAsking` keeps it open in any case.
  constructor(place, { open, begin, end, isAsking = false, rateOf = () => 0 }) {
    this.place = place;
    this.open = open;
    this.begin = begin;
    this.end = end;
    this.isAsking = isAsking;
    this.rateOf = rateOf;
  }

  get isOpen() {
    return !this.#isOver;
  }

  // What joins it now would not be among what it sends.
  get isStarting() {
    return this.#isStarting;
  }

  add(files) {
    this.files.push(...files);
    this.check();
  }

  async check() {
    this.#checking += 1;
    findClashes(this.files);
    setTimeout(() => this.#checking && this.show(), this.isAsking ? 0 : SHOW_AFTER_MS);
    this.#path = (await checkNames(this.files, { ...this.place, url: this.place.preflight, signal: this.#stop.signal, onProgress: (...at) => this.#progress(...at) })) ?? this.#path;
    this.#checking -= 1;
    if (this.#isOver || this.#checking) return;
    findClashes(this.files);
    // Whoever was asked once has the last word, also when nothing is left to decide.
    this.isAsking ||= !this.#mayBegin();
    if (this.isAsking) await this.show();
    else await this.#start();
    this.#compare();
  }

  #mayBegin() {
    const isQuiet = this.files.length <= BY_ITSELF && this.files.every((one) => one.state === 'new' && one.action === 'send');
    const isUntouched = this.#options ? this.#options.isUntouched : !hasRemembered();
    return isQuiet && isUntouched && !this.isAsking && !this.#path?.problem;
  }

  async #compare() {
    if (this.#comparing || this.#isOver) return;
    this.#comparing = true;
    const how = { signal: this.#stop.signal, onProgress: () => this.#drawSoon() };
    // A file that was renamed meanwhile has been passed already.
    while (!this.#isOver && this.files.some(isToCompare)) await compareContents(this.files, how);
    this.#comparing = false;
    this.#draw();
  }

  // Drawing takes longer than to compare a small file.
  #drawSoon() {
    this.#soon ??= setTimeout(() => {
      this.#soon = null;
      this.#draw();
    }, DRAW_MS);
  }

  #progress(done, total) {
    this.#checked = done;
    this.#toCheck = total;
    this.#draw();
  }

  async show() {
    if (this.#dialog || this.#isOver) return;
    this.#dialog = 'coming';
    let dialog;
    try {
      dialog = await sheetOf(this.place.sheet);
    } catch (error) {
      // Without its sheet an upload is not begun: nobody would have seen what it does.
      toast(error.message, 'error');
      this.#finish();
      return;
    }
    if (this.#isOver) return;
    this.#dialog = dialog;
    document.body.append(dialog);
    this.#rows = new SheetRows(dialog, {
      prefix: this.place.prefix,
      onEdit: (file, key) => this.#edited(file, key),
      onChoice: () => this.#draw(),
    });
    this.#options = new SheetOptions(dialog);
    dialog.addEventListener('click', (event) => this.#onClick(event));
    dialog.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#start();
    });
    dialog.addEventListener('close', () => this.#finish());
    dialog.querySelector('[data-sheet-place]').replaceChildren(`${this.place.bucket}/`, visibleKey(this.place.prefix));
    dialog.showModal();
    this.#drawNow();
    this.#focus();
    const named = this.files.find((one) => one.isNameOffered);
    if (named) this.#rows.edit(named);
  }

  // Where a decision is due, or on what Enter shall begin.
  #focus() {
    const due = [...this.#dialog.querySelectorAll('[data-group]:not([hidden]) .is-due')][0];
    const start = this.#dialog.querySelector('[data-sheet-start]');
    (due ?? (start.disabled ? this.#dialog.querySelector('#sheet-title') : start)).focus();
  }

  #onClick(event) {
    const button = event.target.closest('button');
    if (!button) return;
    if (button.matches('[data-sheet-cancel]')) this.#dialog.close();
    if (button.matches('[data-show]')) this.#filter(button.dataset.show);
    if (button.matches('[data-turn]')) this.#rows.turn(Number(button.dataset.turn));
    if (button.matches('[data-all]')) this.#chooseAll(button.closest('[data-group]').dataset.group, button.dataset.all);
    if (button.matches('[data-check-again]')) {
      for (const one of this.files) if (one.state === 'unknown') one.answer = null;
      this.check();
    }
  }

  #filter(state) {
    this.#shown = this.#shown === state ? '' : state;
    this.#rows.first();
    this.#drawNow();
  }

  #chooseAll(state, action) {
    const group = this.files.filter((one) => one.state === state);
    for (const one of group) one.choose(action);
    this.#drawNow();
    if (action === 'rename') this.#renameAll(group);
  }

  // The better names are names like all others: they are looked at before anything is sent.
  #renameAll(group) {
    for (const one of group) if (one.action === 'rename') one.rename(one.better);
    this.check();
  }

  #edited(file, key) {
    file.rename(key);
    this.check();
  }

  #draw() {
    this.#drawn ??= requestAnimationFrame(() => {
      this.#drawn = null;
      this.#drawNow();
    });
  }

  #drawNow() {
    if (!(this.#dialog instanceof HTMLDialogElement) || this.#isOver) return;
    const groups = grouped(this.files);
    for (const [state, group] of groups) this.#drawGroup(state, group);
    if (this.#shown && !groups.get(this.#shown).files.length) this.#shown = '';
    this.#find('[data-show-all]').hidden = !this.#shown;
    this.#rows.show(this.#shown ? groups.get(this.#shown).files : [...groups.values()].flatMap((group) => group.files));
    this.#drawFacts();
    this.#drawStart(groups);
  }

  #find(selector) {
    return this.#dialog.querySelector(selector);
  }

  #drawGroup(state, { files, actions, offered }) {
    const place = this.#find(`[data-group="${state}"]`);
    if (!place) return;
    place.hidden = files.length === 0;
    place.querySelector('[data-count]').textContent = count(files.length);
    place.querySelector('[data-show]').setAttribute('aria-pressed', String(this.#shown === state));
    for (const button of place.querySelectorAll('[data-all]')) {
      const isAll = files.length > 0 && actions[button.dataset.all] === files.length;
      button.setAttribute('aria-pressed', String(isAll));
      button.classList.toggle('active', isAll);
      button.classList.toggle('is-due', actions.ask > 0 && !isAll);
      button.disabled = !offered.has(button.dataset.all);
    }
  }

  #drawFacts() {
    let number = 0;
    let bytes = 0;
    for (const one of this.files) {
      if (one.action === 'skip') continue;
      number += 1;
      bytes += one.size;
    }
    const speed = this.rateOf();
    this.#find('[data-sheet-total]').textContent = word(number === 1 ? 'sheet-total-one' : 'sheet-total', { count: count(number), size: size(bytes) });
    const path = this.#path;
    this.#find('[data-sheet-path]').textContent = path?.words ?? '';
    this.#find('[data-sheet-why]').textContent = path?.why ?? '';
    const isKnown = speed > 0 && bytes > 0;
    this.#find('[data-sheet-time]').textContent = isKnown ? word('sheet-time', { time: duration(bytes / speed), rate: rate(speed) }) : '';
    const problem = this.#find('[data-sheet-problem]');
    // A notice would be behind the sheet.
    const text = this.#failure || path?.problem || '';
    problem.hidden = !text;
    if (problem.querySelector('.problem-text').textContent !== text) problem.querySelector('.problem-text').textContent = text;
  }

  #drawStart(groups) {
    const open = [...groups.values()].reduce((sum, group) => sum + (group.actions.ask ?? 0), 0);
    const skipped = [...groups.values()].reduce((sum, group) => sum + (group.actions.skip ?? 0), 0);
    const sent = this.files.length - open - skipped;
    const checking = groups.get('checking').files.length;
    const start = this.#find('[data-sheet-start]');
    start.querySelector('span').textContent = word(sent === 1 ? 'sheet-start-one' : 'sheet-start', { count: count(sent) });
    start.disabled = this.#isStarting || open > 0 || sent === 0 || Boolean(this.#path?.problem);
    let hint = sent === 0 ? word('sheet-none') : '';
    if (open) hint = groups.get('comparing').actions.ask === open ? word('sheet-wait') : word('sheet-open', { count: count(open) });
    if (checking) hint = '';
    write(this.#find('[data-sheet-hint]'), hint);
    const progress = this.#find('[data-sheet-progress]');
    progress.hidden = checking === 0;
    progress.querySelector('progress').max = this.#toCheck || 1;
    progress.querySelector('progress').value = this.#checked;
    write(progress.querySelector('p'), word('sheet-check', { done: count(this.#checked), total: count(this.#toCheck || this.files.length) }));
  }

  async #start() {
    if (this.#isOver || this.files.some((one) => one.action === null)) return;
    const renamed = this.files.filter((one) => one.action === 'rename');
    if (renamed.length) {
      this.#renameAll(renamed);
      return;
    }
    // Once, however often somebody presses Enter while the console thinks about it.
    if (this.#isStarting) return;
    this.#isStarting = true;
    this.#failure = '';
    this.#draw();
    try {
      await this.#begin();
    } catch (error) {
      // Nothing is lost: signed in again, or with the network back, it begins from here.
      this.#failure = error.message;
      this.isAsking = true;
      await this.show();
    }
    this.#isStarting = false;
    this.#drawNow();
    if (this.#failure && !this.#isOver) {
      this.#find('[data-sheet-problem]').scrollIntoView({ block: 'nearest' });
      if (document.activeElement === document.body) this.#focus();
    }
  }

  async #begin() {
    const chosen = this.#options ? await this.#options.check() : { options: '', type: '' };
    if (!chosen || this.#isOver) return;
    this.#options?.remember();
    const plans = this.files
      .filter((one) => one.action !== 'skip')
      .map((one) => ({ id: one.id, file: one.file, key: one.key, action: one.action, type: one.isTypeOwn ? one.type : chosen.type || one.type, options: chosen.options, seen: one.answer?.etag ?? '' }));
    if (!plans.length) {
      this.#finish();
      return;
    }
    const opened = await this.open(plans);
    // Somebody closed the sheet in the meantime.
    if (this.#isOver) {
      opened.many?.cancel().catch(() => {});
      return;
    }
    this.#finish();
    this.begin(plans, opened);
  }

  #finish() {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stop.abort();
    if (this.#dialog instanceof HTMLDialogElement) {
      this.#options.remember();
      this.#dialog.remove();
    }
    this.end();
  }
}

function write(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

const sheets = new Map();

// The page of the sheet is the same for all uploads into a bucket.
async function sheetOf(url) {
  if (!sheets.has(url)) {
    const response = await fetch(url, { headers: { Accept: 'text/html', 'X-CSRFToken': csrfToken() }, credentials: 'same-origin' }).catch(() => null);
    if (!response?.ok || response.redirected) {
      // Its own sentence, where the console has one.
      await ask('GET', url);
      throw new Error(word('failed', { status: response?.status ?? 0 }));
    }
    sheets.set(url, await response.text());
  }
  const page = new DOMParser().parseFromString(sheets.get(url), 'text/html');
  return document.adoptNode(page.querySelector('dialog'));
}
