// Estimates the smallest delay of a connection whose two clocks drift apart: the same as
// ingest/timing/clock_skew.py, which says how and why (Moon, Skelly and Towsley 1999, INFOCOM).

import { MILLISECOND, MINUTE, floorDivide, sum, trueDivide } from "./units.js";

const HEIGHT_WINDOW = 10n * MINUTE;
const SLOPE_MINUTES = 30;
const TYPICAL_DRIFT = 50e-6;
const MAX_DRIFT = 200e-6;
const DELAY_SPREAD = Number(15n * MILLISECOND); // spread of the smallest delays of a minute
// If even the fastest of this many late ones lies this far above the floor, the floor has moved.
const RECENT = 64;
const FAR_ABOVE = 250n * MILLISECOND;

/** @typedef {{at: bigint, delay: bigint}} Point strap time, delay; both ns */

export class ClockSkewEstimator {
  /** @type {Point[]} */
  #hull = [];
  /** @type {Point[]} */
  #minutes = [];
  #thisMinute = -1n;
  #slope = 0;
  /** @type {Point[]} */
  #recent = [];

  /**
   * Add one arrival. Strap time must increase.
   *
   * @param {bigint} strapNs
   * @param {bigint} delayNs
   */
  add(strapNs, delayNs) {
    this.#recent.push({ at: strapNs, delay: delayNs });
    if (this.#recent.length > RECENT) this.#recent.shift();
    this.#insert(strapNs, delayNs);
    while (this.#hull[0].at < strapNs - HEIGHT_WINDOW) this.#hull.shift();
    const far = this.at(strapNs) + FAR_ABOVE;
    if (this.#recent.length === RECENT && this.#recent.every(({ delay }) => delay > far)) {
      this.#hull = [];
      this.#minutes = [];
      this.#thisMinute = -1n;
      this.#slope = 0;
      for (const { at, delay } of this.#recent) this.#insert(at, delay);
    }
  }

  /**
   * The smallest delay at this strap time. Needs one point at least.
   *
   * @param {bigint} strapNs
   * @returns {bigint}
   */
  at(strapNs) {
    /** @type {bigint | null} */
    let least = null;
    for (const { at, delay } of this.#hull) {
      const here = delay + BigInt(Math.trunc(this.#slope * Number(strapNs - at)));
      if (least === null || here < least) least = here;
    }
    if (least === null) throw new RangeError("no arrival was added yet");
    return least;
  }

  /**
   * @param {bigint} at
   * @param {bigint} delay
   */
  #insert(at, delay) {
    const hull = this.#hull;
    while (hull.length >= 2) {
      const a = hull[hull.length - 2];
      const b = hull[hull.length - 1];
      if ((b.delay - a.delay) * (at - b.at) < (delay - b.delay) * (b.at - a.at)) break;
      hull.pop();
    }
    hull.push({ at, delay });
    const minute = floorDivide(at, MINUTE);
    const minutes = this.#minutes;
    if (minute !== this.#thisMinute) {
      this.#thisMinute = minute;
      this.#slope = this.#fitSlope();
      minutes.push({ at, delay });
      if (minutes.length > SLOPE_MINUTES) minutes.shift();
    } else if (delay < minutes[minutes.length - 1].delay) {
      minutes[minutes.length - 1] = { at, delay };
    }
  }

  /**
   * Ridge regression through the minutes that are over.
   *
   * @returns {number}
   */
  #fitSlope() {
    const minutes = this.#minutes;
    const count = BigInt(minutes.length);
    if (count < 3n) return 0;
    const meanAt = trueDivide(
      minutes.reduce((total, { at }) => total + at, 0n),
      count,
    );
    const meanDelay = trueDivide(
      minutes.reduce((total, { delay }) => total + delay, 0n),
      count,
    );
    const across = sum(
      minutes.map(({ at, delay }) => (Number(at) - meanAt) * (Number(delay) - meanDelay)),
    );
    const along = sum(minutes.map(({ at }) => (Number(at) - meanAt) ** 2));
    const slope = across / (along + (DELAY_SPREAD / TYPICAL_DRIFT) ** 2);
    return Math.max(-MAX_DRIFT, Math.min(MAX_DRIFT, slope));
  }
}
