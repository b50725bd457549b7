// Checks that a strap's intervals fill the time of the wall clock: the same as
// ingest/timing/interval_fit.py, which says how and why. With strap time T and arrival t, the delay
// of early and late notifications of one minute must allow one constant; a scale under which it
// does not is wrong, or beats are missing or sent again.

import { FitWindow } from "./fit_window.js";
import { MINUTE, SECOND, sum } from "./units.js";

// Ticks a second that devices count in, in the order in which ingest compares them.
const SCALES = [1024, 512, 2048, 256, 128, 100, 1000, 2000, 500, 250];
const WINDOW = MINUTE;
const MIN_WINDOW = 20n * SECOND;
const MIN_FOR_RATE = 30n * SECOND;
const HOLE = 3n * SECOND; // without any notification: what came meanwhile is not known
// One strap sent 1.5 s too much once (NeuroKit issue 39); this much is a fault that goes on.
const OVER = 1.5e9;
const LARGE = 3e9;
const GOOD = 0.35e9;
// By how much the clock must prefer a scale: with the heart rate against the other, and alone.
const PREFERRED = 0.3e9;
const PREFERRED_ALONE = 0.5e9;
const GOOD_ALONE = 0.2e9;
const SCALE_ERROR = 0.06; // of the intervals against the time, and against the heart rate
const MIN_NOTIFICATIONS = 12;
const JUDGE_EVERY = 2n * SECOND;

/**
 * The intervals since `sinceNs` do not fit the clock. `ticksPerSecond` is the strap's true scale
 * where that is certain, else null; `isDoubled`: all was delivered twice.
 *
 * @typedef {object} Misfit
 * @property {bigint} sinceNs
 * @property {number} filled
 * @property {number | null} ticksPerSecond
 * @property {boolean} isDoubled
 */
/** @typedef {import("./fit_window.js").FitPoint} FitPoint */

export class IntervalFit {
  #scale;
  /** @type {FitPoint[]} */
  #points = [];
  /** @type {bigint | null} */
  #arrived = null;
  #longestWait = 0; // between notifications, since the last one with intervals
  #ticks = 0;
  #lastInterval = 0;
  /** @type {{scale: number, since: bigint} | null} */
  #suspected = null;
  #judgedNs = 0n;

  /** @param {number} ticksPerSecond */
  constructor(ticksPerSecond) {
    this.#scale = ticksPerSecond;
  }

  /** Begin anew: beats are missing between what came and what comes. */
  reset() {
    this.#points = [];
    this.#arrived = null;
    this.#longestWait = 0;
    this.#ticks = 0;
    this.#lastInterval = 0;
    this.#suspected = null;
  }

  /**
   * Add one notification; what is wrong with the last minute, if that is certain.
   *
   * @param {readonly number[]} rrTicks
   * @param {bigint} receivedNs
   * @param {number} heartRateBpm
   * @returns {Misfit | null}
   */
  add(rrTicks, receivedNs, heartRateBpm) {
    const before = this.#arrived;
    this.#arrived = receivedNs;
    if (before !== null && (receivedNs < before || receivedNs - before > HOLE)) {
      this.reset();
      this.#arrived = receivedNs;
      return null;
    }
    if (before !== null) {
      this.#longestWait = Math.max(this.#longestWait, Number(receivedNs - before));
    }
    if (!rrTicks.length) return null;
    const waitNs = this.#longestWait;
    this.#longestWait = 0;
    const span = sum(rrTicks);
    this.#ticks += span;
    const repeats = rrTicks.length === 1 && rrTicks[0] === this.#lastInterval;
    this.#lastInterval = rrTicks[rrTicks.length - 1];
    if (before === null) return null;
    this.#points.push({
      beforeNs: before,
      waitNs,
      receivedNs,
      first: this.#ticks - span + rrTicks[0],
      last: this.#ticks,
      beats: rrTicks.length,
      ticks: span,
      heartRateBpm,
      repeats,
    });
    while (this.#points[0].receivedNs < receivedNs - WINDOW) this.#points.shift();
    if (receivedNs < this.#judgedNs + JUDGE_EVERY) return null;
    this.#judgedNs = receivedNs;
    return this.#judge();
  }

  /** Whether a whole minute fits. */
  get isGood() {
    if (Number(this.#span()) < 0.9 * Number(WINDOW)) return false;
    const window = new FitWindow(this.#points, this.#scale);
    return Math.abs(window.violation(this.#scale)) < GOOD;
  }

  /** @returns {bigint} */
  #span() {
    const points = this.#points;
    return points.length ? points[points.length - 1].receivedNs - points[0].receivedNs : 0n;
  }

  /** @returns {Misfit | null} */
  #judge() {
    const span = this.#span();
    if (span < MIN_WINDOW || this.#points.length < MIN_NOTIFICATIONS) return null;
    const window = new FitWindow(this.#points, this.#scale);
    const off = window.violation(this.#scale);
    if (Math.abs(off) < PREFERRED) {
      this.#suspected = null;
      return null;
    }
    const sinceNs = this.#points[0].beforeNs;
    const filled = window.ticksPerSecond / this.#scale;
    const scale = this.#trueScale(window, span);
    if (scale !== null) return { sinceNs, filled, ticksPerSecond: scale, isDoubled: false };
    const share = Number(span) / Number(WINDOW);
    // More intervals than time cannot be; fewer are beats that were lost, a gap each.
    const isOver =
      off < (Number(span) >= 0.8 * Number(WINDOW) ? -OVER : -LARGE) &&
      window.goesOnOver(this.#scale);
    if (this.#suspected !== null && share < 0.9) return null; // more will make it certain
    const isStuck = off > LARGE && window.repeatedShare > 0.9 && window.isWhole;
    // Half the time, and half the interval by the strap's own rate, is no loss.
    const isOther = Math.abs(off) > LARGE && window.rateError(this.#scale) > 2 * SCALE_ERROR;
    // Faster than one beat a notification, a heart would send two in some: these are means.
    const isMean = off > LARGE && window.isWhole && window.hasOneIntervalEach;
    return isOver || isStuck || isOther || isMean
      ? { sinceNs, filled, ticksPerSecond: null, isDoubled: false }
      : null;
  }

  /**
   * The one scale that fits the clock and the strap's own heart rate.
   *
   * @param {FitWindow} window
   * @param {bigint} span
   * @returns {number | null}
   */
  #trueScale(window, span) {
    /** @type {Map<number, number>} */
    const offs = new Map();
    const candidates = SCALES.includes(this.#scale) ? SCALES : [...SCALES, this.#scale];
    for (const scale of candidates) {
      const isNear = Math.abs(window.ticksPerSecond / scale - 1) < SCALE_ERROR;
      if (isNear || scale === this.#scale) offs.set(scale, Math.abs(window.violation(scale)));
    }
    const scale = bestScale(offs, window);
    const off = offs.get(scale) ?? 0;
    const others = [...offs].filter(([one]) => one !== scale);
    if (scale === this.#scale || off > GOOD || !window.rateAllows(scale)) {
      this.#suspected = null;
      return null;
    }
    const isExcluded = others.every(
      ([other, otherOff]) => otherOff - off >= PREFERRED && window.rateExcludes(other),
    );
    if (span >= MIN_FOR_RATE && isExcluded) return scale;
    const now = this.#points[this.#points.length - 1].receivedNs;
    if (this.#suspected === null || this.#suspected.scale !== scale) {
      this.#suspected = { scale, since: now };
    }
    if (others.some(([, otherOff]) => otherOff - off < PREFERRED)) return null;
    const isClear =
      off <= GOOD_ALONE && others.every(([, otherOff]) => otherOff - off >= PREFERRED_ALONE);
    if (!window.isWhole) return null;
    const lasts = now - this.#suspected.since >= WINDOW;
    return lasts || (isClear && Number(span) >= 0.9 * Number(WINDOW)) ? scale : null;
  }
}

/**
 * @param {Map<number, number>} offs
 * @param {FitWindow} window
 * @returns {number}
 */
function bestScale(offs, window) {
  let best = 0;
  /** @type {[number, number]} */
  let bestKey = [Infinity, Infinity];
  for (const [scale, off] of offs) {
    /** @type {[number, number]} */
    const key = [Math.floor(off / (PREFERRED / 3)), window.rateError(scale)];
    if (key[0] < bestKey[0] || (key[0] === bestKey[0] && key[1] < bestKey[1])) {
      best = scale;
      bestKey = key;
    }
  }
  return best;
}
