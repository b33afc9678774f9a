// The files of one upload sheet: how each stands, what is to be done with it, and what they do to each other.

import { numbered } from './conflicts.js';
import { word } from './strings.js';

// What can be done with a file in each state; the first is what a group offers first.
const ACTIONS = {
  problem: ['rename', 'send', 'skip'],
  different: ['keep-both', 'replace', 'skip'],
  comparing: ['keep-both', 'replace', 'skip'],
  unknown: ['send', 'skip'],
  new: ['send', 'skip'],
  identical: ['skip', 'replace', 'keep-both'],
  checking: [],
};
// What is decided without asking: nothing that could lose or change what somebody has.
const DEFAULTS = { new: 'send', unknown: 'send', identical: 'skip' };
// Those that need a decision come first.
export const STATES = ['problem', 'different', 'comparing', 'unknown', 'new', 'identical', 'checking'];

export class SheetFile {
  // What the console said about the key, and what a comparison of the content said.
  answer = null;
  compared = null;
  // What another file of the same sheet does to this one: a sentence, and whether both cannot be sent.
  clash = null;
  #choice = null;

  constructor(id, file, key) {
    this.id = id;
    this.file = file;
    // Read once for what is drawn: a browser asks the disk each time that a picked file's size is read.
    this.size = file.size;
    this.key = key;
    this.type = file.type;
    // Somebody typed a type for this one file.
    this.isTypeOwn = false;
  }

  get state() {
    if (!this.answer) return 'checking';
    if (this.answer.state === 'problem' || this.clash) return 'problem';
    if (this.answer.state !== 'same-size') return this.answer.state;
    return this.compared ?? (this.answer.crc64 ? 'comparing' : 'different');
  }

  get problem() {
    return this.answer?.state === 'problem' ? this.answer.problem : (this.clash?.problem ?? this.answer?.problem ?? '');
  }

  get better() {
    return this.answer?.better || this.clash?.better || '';
  }

  get actions() {
    const { state } = this;
    if (state !== 'problem') return ACTIONS[state];
    const isRefused = this.answer.refused || this.clash?.refused;
    return ACTIONS.problem.filter((one) => (one !== 'rename' || this.better) && (one !== 'send' || !isRefused));
  }

  // null as long as somebody has to decide, or the check is not done.
  get action() {
    return this.actions.includes(this.#choice) ? this.#choice : (DEFAULTS[this.state] ?? null);
  }

  choose(action) {
    if (this.actions.includes(action)) this.#choice = action;
  }

  rename(key) {
    if (key === this.key) return;
    this.key = key;
    this.answer = null;
    this.compared = null;
    this.#choice = null;
  }
}

// Two files with one key, keys that differ in case only, and a file that is called like another one's folder.
export function findClashes(files) {
  const keys = new Set(files.map((one) => one.key));
  const folded = new Map();
  const folders = new Set();
  const seen = new Set();
  for (const { key } of files) for (let at = key.indexOf('/'); at > 0; at = key.indexOf('/', at + 1)) folders.add(key.slice(0, at));
  for (const one of files) {
    const twin = folded.get(one.key.toLowerCase());
    one.clash = null;
    if (seen.has(one.key)) one.clash = { problem: word('sheet-twice'), better: free(one.key, keys), refused: true };
    else if (twin !== undefined) one.clash = { problem: word('sheet-twin', { key: twin }), better: free(one.key, keys) };
    else if (folders.has(one.key)) one.clash = { problem: word('sheet-folder'), better: free(one.key, keys) };
    seen.add(one.key);
    if (twin === undefined) folded.set(one.key.toLowerCase(), one.key);
  }
}

function free(key, keys) {
  for (let number = 1; ; number += 1) {
    const other = numbered(key, number);
    if (keys.has(other)) continue;
    // Spoken for, so that the third of a name does not become the second.
    keys.add(other);
    return other;
  }
}

// The files of each state, and how many are to be sent, skipped, … ; 'ask' counts those that need a decision.
export function grouped(files) {
  const groups = new Map(STATES.map((state) => [state, { files: [], actions: {}, offered: new Set() }]));
  for (const one of files) {
    const group = groups.get(one.state);
    const action = one.action ?? 'ask';
    group.files.push(one);
    group.actions[action] = (group.actions[action] ?? 0) + 1;
    for (const offered of one.actions) group.offered.add(offered);
  }
  return groups;
}
