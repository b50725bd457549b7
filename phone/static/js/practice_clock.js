/** The time of a practice: it can pause, and its pace can change. */

export class PracticeClock {
  #passedMs = 0;
  /** @type {number | null} */
  #since = null;

  /** Start, or go on. */
  start() {
    this.#since ??= performance.now();
  }

  pause() {
    this.#passedMs = this.passedMs;
    this.#since = null;
  }

  get isRunning() {
    return this.#since !== null;
  }

  /** Milliseconds without the pauses. */
  get passedMs() {
    return this.#passedMs + (this.#since === null ? 0 : performance.now() - this.#since);
  }
}

/**
 * Breaths at a pace that may change. A breath is in for 2/5 of its time, and out for 3/5.
 */
export class BreathPacer {
  #breath = 0;
  #atMs = 0;

  /** @param {number} pace breaths a minute */
  constructor(pace) {
    this.pace = pace;
  }

  /**
   * @param {number} passedMs
   * @returns {{isIn: boolean, fraction: number}} `fraction` of the breath, 0 to 1
   */
  phaseAt(passedMs) {
    this.#breath += ((passedMs - this.#atMs) / 60_000) * this.pace;
    this.#atMs = passedMs;
    const fraction = this.#breath % 1;
    return { isIn: fraction < 0.4, fraction };
  }
}

/**
 * Find the words at a fraction of a guided practice.
 * @param {readonly {title: string, length: number, words: readonly string[]}[]} steps
 * @param {number} fraction 0 to 1
 * @returns {{title: string, words: string}}
 */
export function findStep(steps, fraction) {
  let begin = 0;
  for (const { title, length, words } of steps) {
    if (fraction < begin + length) {
      const place = Math.floor(((fraction - begin) / length) * words.length);
      return { title, words: words[Math.min(Math.max(place, 0), words.length - 1)] };
    }
    begin += length;
  }
  const last = steps[steps.length - 1];
  return { title: last.title, words: last.words[last.words.length - 1] };
}
