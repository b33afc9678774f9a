// How fast bytes leave, as the mean over the last ten seconds.

const WINDOW_MS = 10000;
const MEASURING_MS = 4000;

export class Pace {
  #marks = [];

  // A slice that is sent again takes its bytes back, so the count may fall.
  note(bytes, now = performance.now()) {
    this.#marks.push([now, bytes]);
    while (this.#marks.length > 2 && this.#marks[1][0] < now - WINDOW_MS) this.#marks.shift();
  }

  reset() {
    this.#marks = [];
  }

  // Bytes per second, null while there is too little to say.
  get rate() {
    if (this.#marks.length < 2) return null;
    const [start, from] = this.#marks[0];
    const [end, to] = this.#marks.at(-1);
    if (end - start < MEASURING_MS) return null;
    return Math.max(0, ((to - from) * 1000) / (end - start));
  }
}
