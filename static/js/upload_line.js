// One upload of this page in the tray: what left the browser, what the store has, and what can be done.

import { element, icon } from './dom.js';
import { duration, percent, rate, size } from './figures.js';
import { Pace } from './pace.js';
import { word } from './strings.js';
import { toast } from './toasts.js';
import { visibleKey } from './visible.js';

const PHASES = { waiting: 'waiting-turn', starting: 'starting', sending: 'sending', held: 'paused', received: 'storing' };

export class UploadLine {
  #pace = new Pace();
  #stored = 0;
  #shape = '';

  constructor(sender) {
    this.sender = sender;
    this.sentBar = element('progress', { max: sender.size || 1, value: 0, 'aria-label': word('sending') });
    this.storedBar = element('progress', { class: 'thin is-good', max: sender.size || 1, value: 0, 'aria-label': word('stored') });
    this.state = element('p', { class: 'job-line job-wide mb-0' });
    this.figures = element('p', { class: 'job-line job-wide mb-0' });
    this.actions = element('div', { class: 'job-actions' });
    this.problem = element('div', { class: 'job-wide', role: 'alert', hidden: true });
    this.root = element(
      'article',
      { class: 'job', 'data-upload-line': true },
      element('div', {}, element('div', { class: 'job-title' }, visibleKey(sender.key))),
      this.actions,
      element('div', { class: 'job-wide' }, this.sentBar, this.storedBar),
      this.state,
      this.figures,
      this.problem,
    );
    this.draw();
  }

  // What the console knows: bytes that the store has confirmed.
  follow(job) {
    this.#stored = job.done;
    this.draw();
  }

  tick() {
    if (this.sender.phase === 'sending') this.#pace.note(this.sender.sent);
    else this.#pace.reset();
    this.draw();
  }

  draw() {
    const { sender } = this;
    this.sentBar.value = sender.size ? sender.sent : Number(sender.phase === 'received');
    this.storedBar.value = this.#stored;
    write(this.state, sender.error ? '' : sender.note || word(PHASES[sender.phase] ?? sender.note));
    write(this.figures, this.#figures());
    this.#drawActions();
  }

  #figures() {
    const { sender } = this;
    const total = size(sender.size);
    const sent = `${word('sent', { done: size(sender.sent), total })} (${percent(sender.sent, sender.size)} %)`;
    if (sender.phase === 'received') return word('kept', { done: size(this.#stored), total });
    if (sender.phase !== 'sending') return sent;
    const speed = this.#pace.rate;
    const steady = this.#pace.steady;
    const left = steady ? word('left', { time: duration((sender.size - sender.sent) / steady) }) : word('measuring');
    return [sent, speed && rate(speed), left].filter(Boolean).join(' · ');
  }

  // Buttons are made anew only when others are due, so that the one in focus stays.
  #drawActions() {
    const { sender } = this;
    const names = actionsOf(sender);
    const shape = `${names.join()} ${sender.error?.message ?? ''}`;
    if (shape === this.#shape) return;
    const hadFocus = this.actions.contains(document.activeElement);
    this.#shape = shape;
    this.actions.replaceChildren(...names.map((name) => this.#button(name)));
    this.problem.replaceChildren(...problemOf(sender.error));
    this.problem.hidden = !sender.error;
    if (hadFocus) this.actions.querySelector('button')?.focus();
  }

  #button(name) {
    const [label, sign, act] = {
      pause: ['pause', 'player-pause', () => this.sender.pause()],
      resume: ['resume', 'player-play', () => this.sender.resume()],
      retry: ['retry', 'refresh', () => this.sender.retry()],
      cancel: ['cancel', 'x', () => this.sender.cancel()],
      dismiss: ['dismiss', 'x', async () => this.sender.end('dismissed')],
    }[name];
    const run = () => act().catch((error) => toast(error.message, 'error'));
    return element(
      'button',
      { type: 'button', class: 'btn btn-sm', title: word(label), 'aria-label': `${word(label)}: ${this.sender.key}`, onclick: run },
      icon(sign),
    );
  }
}

function actionsOf(sender) {
  if (sender.phase === 'failed') return sender.job ? ['retry', 'cancel'] : ['retry', 'dismiss'];
  if (sender.phase === 'held') return [sender.error ? 'retry' : 'resume', 'cancel'];
  if (sender.phase === 'sending') return ['pause', 'cancel'];
  return sender.phase === 'ended' ? [] : ['cancel'];
}

export function problemOf(error) {
  if (!error) return [];
  const detail = [];
  if (error.code) detail.push(element('dt', {}, word('code')), element('dd', {}, element('code', {}, error.code)));
  if (error.requestId) detail.push(element('dt', {}, word('request-id')), element('dd', {}, element('code', {}, error.requestId)));
  const reference = detail.length
    ? element('details', { class: 'reference' }, element('summary', {}, word('details')), element('dl', {}, ...detail))
    : null;
  return [element('div', { class: 'problem' }, icon('alert-triangle'), element('div', {}, element('p', {}, error.message), reference))];
}

function write(place, text) {
  if (place.textContent !== text) place.textContent = text;
}
