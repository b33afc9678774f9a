// Many files of this page as one line of the tray, with a few of them to look at.

import { element, icon } from './dom.js';
import { count, duration, percent, rate, size } from './figures.js';
import { Pace } from './pace.js';
import { word } from './strings.js';
import { toast } from './toasts.js';
import { problemOf, UploadLine } from './upload_line.js';
import { visibleKey } from './visible.js';

// Of ten thousand files so many are drawn: those that failed first, then those under way.
const ROWS = 12;

export class BatchLine {
  #bytes = new Pace();
  #files = new Pace();
  #rows = new Map();
  #shape = '';

  constructor(batch) {
    this.batch = batch;
    this.sentBar = element('progress', { max: 1, value: 0, 'aria-label': word('sending') });
    this.storedBar = element('progress', { class: 'thin is-good', max: 1, value: 0, 'aria-label': word('stored') });
    this.state = element('p', { class: 'job-line job-wide mb-0' });
    this.figures = element('p', { class: 'job-line job-wide mb-0' });
    this.actions = element('div', { class: 'job-actions' });
    this.problem = element('div', { class: 'job-wide', role: 'alert', hidden: true });
    this.rows = element('div', { class: 'batch-rows' });
    this.rest = element('p', { class: 'batch-rest' });
    this.files = element('details', { class: 'job-wide batch-files', ontoggle: () => this.draw() }, element('summary', {}, word('batch-files')), this.rows, this.rest);
    const title = element('a', { href: batch.jobUrl }, visibleKey(batch.title));
    this.root = element(
      'article',
      { class: 'job', 'data-batch-line': batch.parent },
      element('div', {}, element('div', { class: 'job-title' }, title), element('div', { class: 'job-place' }, `${word('batch-kind')} · ${batch.bucket}`)),
      this.actions,
      element('div', { class: 'job-wide' }, this.sentBar, this.storedBar),
      this.figures,
      this.state,
      this.problem,
      this.files,
    );
    this.draw();
  }

  tick() {
    const { batch } = this;
    if (batch.isSending && !batch.isPaused && !batch.error) {
      this.#bytes.note(batch.sentBytes);
      this.#files.note(batch.settled);
    } else {
      this.#bytes.reset();
      this.#files.reset();
    }
    for (const row of this.#rows.values()) row.tick();
    this.draw();
  }

  // Of bytes where there are many, of files where these are tiny.
  get fraction() {
    const { batch } = this;
    const files = (batch.settled + batch.leftOut) / batch.files;
    const bytes = batch.bytes ? (batch.sentBytes + batch.leftOutBytes) / batch.bytes : files;
    return Math.min(1, (files + bytes) / 2);
  }

  draw() {
    const { batch } = this;
    this.sentBar.value = this.fraction;
    this.storedBar.value = Math.min(1, batch.stored.files / batch.files);
    write(this.figures, this.#figures());
    write(this.state, this.#state());
    this.#drawActions();
    this.#drawRows();
  }

  #state() {
    const { batch } = this;
    if (batch.error) return '';
    const said = [];
    if (batch.isPaused) said.push(word('paused'));
    else if (batch.note) said.push(batch.note);
    if (batch.stored.files) said.push(word('batch-stored', { count: count(batch.stored.files) }));
    if (batch.leftOut) said.push(word('batch-left-out', { count: count(batch.leftOut) }));
    return said.join(' · ');
  }

  #figures() {
    const { batch } = this;
    const said = [
      word('batch-sent', { done: count(batch.settled), total: count(batch.files - batch.leftOut) }),
      word('of', { done: size(batch.sentBytes), total: size(batch.bytes - batch.leftOutBytes) }),
      `${percent(Math.floor(this.fraction * 1000), 1000)} %`,
    ];
    if (!batch.isSending || batch.isPaused || batch.error) return said.join(' · ');
    const speed = this.#bytes.rate;
    if (speed) said.push(rate(speed));
    const left = this.#left();
    said.push(left === null ? word('measuring') : word('left', { time: duration(left) }));
    return said.join(' · ');
  }

  // Many small files take their number, a few large ones their bytes.
  #left() {
    const { batch } = this;
    const times = [
      timeOf(batch.bytes - batch.leftOutBytes - batch.sentBytes, this.#bytes.steady),
      timeOf(batch.remaining, this.#files.steady),
    ].filter((time) => time !== null);
    return times.length ? Math.max(...times) : null;
  }

  // Made anew only when others are due, so that the one in focus stays.
  #drawActions() {
    const { batch } = this;
    const names = actionsOf(batch);
    const error = errorOf(batch);
    const shape = `${names.join()} ${error?.message ?? ''}`;
    if (shape === this.#shape) return;
    const held = this.actions.contains(document.activeElement) ? document.activeElement.dataset.action : null;
    this.#shape = shape;
    this.actions.replaceChildren(...names.map((name) => this.#button(name)));
    this.problem.replaceChildren(...problemOf(error));
    this.problem.hidden = !error;
    if (held) (this.actions.querySelector(`[data-action="${held}"]`) ?? this.actions.querySelector('button'))?.focus();
  }

  #button(name) {
    const [sign, act] = {
      pause: ['player-pause', () => this.batch.pause()],
      resume: ['player-play', () => this.batch.resume()],
      retry: ['refresh', () => this.batch.retry()],
      cancel: ['x', () => this.batch.cancel()],
      dismiss: ['x', async () => this.batch.dismiss()],
    }[name];
    const run = () => act().catch((error) => toast(error.message, 'error'));
    const label = word(name);
    const css = name === 'retry' || name === 'resume' ? 'btn btn-sm btn-primary' : 'btn btn-sm';
    return element('button', { type: 'button', class: css, title: label, 'data-action': name, 'aria-label': `${label}: ${this.batch.title}`, onclick: run }, icon(sign));
  }

  #drawRows() {
    if (!this.files.open) return;
    const { batch } = this;
    const shown = [...first(batch.failed, ROWS), ...first(batch.active, ROWS)].slice(0, ROWS);
    for (const [sender, row] of this.#rows) {
      if (shown.includes(sender)) continue;
      row.root.remove();
      this.#rows.delete(sender);
    }
    for (const sender of shown) {
      if (!this.#rows.has(sender)) {
        const row = new UploadLine(sender);
        this.#rows.set(sender, row);
        this.rows.append(row.root);
      }
      this.#rows.get(sender).draw();
    }
    const waiting = batch.isOver ? 0 : batch.files - batch.settled - batch.leftOut - shown.length;
    write(this.rest, waiting > 0 ? word('more', { count: count(waiting) }) : '');
  }
}

function* first(senders, at) {
  let number = 0;
  for (const sender of senders) {
    if (number === at) return;
    number += 1;
    yield sender;
  }
}

function timeOf(left, speed) {
  if (left <= 0) return 0;
  return speed ? left / speed : null;
}

function actionsOf(batch) {
  if (batch.isOver) return [];
  const hasFailed = batch.failed.size > 0 || batch.error || batch.stored.failed > 0;
  if (batch.error || (batch.remaining === 0 && hasFailed)) return ['retry', batch.error ? 'cancel' : 'dismiss'];
  const moving = batch.isPaused ? 'resume' : 'pause';
  return hasFailed ? ['retry', moving, 'cancel'] : [moving, 'cancel'];
}

function errorOf(batch) {
  if (batch.error) return { ...detailOf(batch.error), message: batch.error.message };
  const failed = batch.failed.size;
  if (!failed) return null;
  const [sender] = batch.failed;
  const text = word(failed === 1 ? 'batch-failed-one' : 'batch-failed', { count: count(failed), why: sender.error?.message ?? '' });
  return { ...detailOf(sender.error), message: text };
}

function detailOf(error) {
  return { code: error?.code, requestId: error?.requestId };
}

function write(place, text) {
  if (place.textContent !== text) place.textContent = text;
}
