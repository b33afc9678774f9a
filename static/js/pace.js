// How fast bytes or files leave: the mean over the last ten seconds, and a steadier one to tell the time left by.

const WINDOW_MS = 10000;
const MEASURING_MS = 4000;
const STEADY_MS = 60000;
const STEADY_AFTER_MS = 20000;

export class Pace {
  #marks = [];

  // A slice that is sent again takes its bytes back, so the count may fall.
  note(done, now = performance.now()) {
    this.#marks.push([now, done]);
    while (this.#marks.length > 2 && this.#marks[1][0] < now - STEADY_MS) this.#marks.shift();
  }

  reset() {
    this.#marks = [];
  }

  // Per second over the last ten, null while there is too little to say.
  get rate() {
    const end = this.#marks.at(-1)?.[0] ?? 0;
    return this.#over(this.#marks.findIndex(([at]) => at >= end - WINDOW_MS), MEASURING_MS);
  }

  // Per second over the last minute; in the first twenty seconds nobody can tell how it goes on.
  get steady() {
    return this.#over(0, STEADY_AFTER_MS);
  }

  #over(first, atLeast) {
    if (this.#marks.length < 2) return null;
    const [start, from] = this.#marks[first];
    const [end, to] = this.#marks.at(-1);
    if (end - start < atLeast) return null;
    return Math.max(0, ((to - from) * 1000) / (end - start));
  }
}
