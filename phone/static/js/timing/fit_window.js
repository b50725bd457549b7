// The notifications of one window, in parts between which the delay may have changed: `_Window` of
// ingest/timing/interval_fit.py.

import { SECOND, floorDivide, sum } from "./units.js";

const SECOND_NS = Number(SECOND);
const PREFERRED = 0.3e9;
/** @type {readonly [number, number]} */
const RATE_ROUNDING_BPM = [-0.5, 1.0]; // to be added: most straps round, some cut off
const RATE_MARGIN = 0.004;
const RATE_LAGS_S = [0, 2.5, 5, 10];
const MIN_NOTIFICATIONS = 12;
const MIN_COMPARED = 9;
const MIN_FOR_FIFTHS = 40;
// Of the usual time between notifications: more is a loss, less is a connection that catches up.
const LONG_WAIT = 1.6;
const SHORT_WAIT = 0.4;
const MAX_SHORT_WAITS = 0.15;
const CATCHING_UP = 3;
const SENT_AT_ONCE = 250_000_000n; // after its beat, where each beat is sent by itself

/**
 * @typedef {object} FitPoint
 * @property {bigint} beforeNs arrival of the notification before, with intervals or without
 * @property {number} waitNs longest between notifications since the last one with intervals
 * @property {bigint} receivedNs
 * @property {number} first ticks up to its first beat
 * @property {number} last
 * @property {number} beats
 * @property {number} ticks
 * @property {number} heartRateBpm
 * @property {boolean} repeats nothing but the interval before, again
 */

export class FitWindow {
  #points;
  #parts;
  #irregularity;
  /** @type {[number, number][]} */
  #byRate;

  /**
   * @param {readonly FitPoint[]} points two at least
   * @param {number} scale
   */
  constructor(points, scale) {
    this.#points = [...points];
    this.#parts = split(this.#points, scale);
    this.isWhole = this.#parts.length === 1;
    const first = points[0];
    const last = points[points.length - 1];
    this.ticksPerSecond =
      ((last.last - first.last) * SECOND_NS) / Number(last.receivedNs - first.receivedNs);
    this.repeatedShare = points.filter(({ repeats }) => repeats).length / points.length;
    const means = points.map(({ ticks, beats }) => ticks / beats);
    const steps = sum(means.slice(1).map((after, index) => (after - means[index]) ** 2));
    // RMSSD by mean: 0.03 at rest, 0.3 in fibrillation, where rate and intervals agree less.
    this.#irregularity = (steps / (means.length - 1)) ** 0.5 / (sum(means) / means.length);
    this.#byRate = this.#scalesByRate();
  }

  /** Whether each notification holds one interval: none holds two, and none holds none. */
  get hasOneIntervalEach() {
    const points = this.#points;
    return (
      points.every(({ beats }) => beats === 1) &&
      points.slice(1).every(({ beforeNs }, index) => beforeNs === points[index].receivedNs)
    );
  }

  /**
   * How far the heart rate is from `scale`, as a share; 0 where there is no rate.
   *
   * @param {number} scale
   * @returns {number}
   */
  rateError(scale) {
    if (!this.#byRate.length) return 0;
    return Math.min(...this.#byRate.map(([low, high]) => Math.abs((low + high) / 2 / scale - 1)));
  }

  /**
   * Whether the heart rate can be that of intervals in `scale`, at any lag.
   *
   * @param {number} scale
   * @returns {boolean}
   */
  rateAllows(scale) {
    return !this.#byRate.length || this.#byRate.some(([low, high]) => low <= scale && scale <= high);
  }

  /**
   * Whether the heart rate cannot be that of intervals in `scale`, at any lag.
   *
   * @param {number} scale
   * @returns {boolean}
   */
  rateExcludes(scale) {
    return this.#byRate.length > 0 && !this.rateAllows(scale);
  }

  /**
   * The smallest and largest ticks a second by rate and intervals, for each lag.
   *
   * @returns {[number, number][]}
   */
  #scalesByRate() {
    const points = this.#points;
    const rated = points.filter(({ heartRateBpm }) => heartRateBpm);
    if (rated.length < Math.max(Math.floor(points.length / 2), 1)) return [];
    /** @type {[number, number][]} */
    const found = [];
    for (const lagS of RATE_LAGS_S) {
      // A number and not BigInt, as in ingest: compared exactly with the arrivals.
      const later = Number(points[0].receivedNs) + lagS * SECOND_NS;
      const earlier = Number(points[points.length - 1].receivedNs) - lagS * SECOND_NS;
      const rates = rated.filter((p) => p.receivedNs >= later).map((p) => p.heartRateBpm);
      const sent = points.filter((p) => p.receivedNs <= earlier);
      if (rates.length < Math.floor(MIN_NOTIFICATIONS / 2) || !sent.length) continue;
      const rate = sum(rates) / rates.length;
      const interval = sum(sent.map((p) => p.ticks)) / sum(sent.map((p) => p.beats));
      const [low, high] = RATE_ROUNDING_BPM.map((off) => rate + off);
      const margin = RATE_MARGIN + this.#irregularity / (2 * rates.length ** 0.5);
      found.push([
        ((low * interval) / 60) * (1 - margin),
        ((high * interval) / 60) * (1 + margin),
      ]);
    }
    return found;
  }

  /**
   * Whether both halves hold more than their time: a connection catches up only once.
   *
   * @param {number} scale
   * @returns {boolean}
   */
  goesOnOver(scale) {
    const middle = Math.floor(this.#points.length / 2);
    const halves = [this.#points.slice(0, middle), this.#points.slice(middle)];
    return halves.every(
      (half) => half.length >= MIN_COMPARED && partViolation(half, scale) < -PREFERRED,
    );
  }

  /**
   * By how much early and late notifications disagree under `scale`, ns: positive where the
   * intervals fill too little time, negative where too much, 0 if they agree.
   *
   * @param {number} scale
   * @returns {number}
   */
  violation(scale) {
    let worst = 0;
    for (const part of this.#parts) {
      if (part.length < MIN_COMPARED) continue;
      const off = partViolation(part, scale);
      if (Math.abs(off) > Math.abs(worst)) worst = off;
    }
    return worst;
  }
}

/**
 * Cut where a notification was lost, or the connection fell behind or caught up.
 *
 * @param {readonly FitPoint[]} points
 * @param {number} scale
 * @returns {FitPoint[][]}
 */
function split(points, scale) {
  const waits = points.map(({ waitNs }) => waitNs);
  const usual = median(waits);
  let longest = points.map(() => usual);
  let shortest = longest;
  if (isSentAtOnce(points, scale)) {
    const spans = points.map(({ ticks }) => Math.floor((ticks * SECOND_NS) / scale));
    longest = spans.map((span) => Math.max(usual, Math.min(span, 2 * usual)));
    shortest = spans.map((span) => Math.min(usual, span));
  }
  let isShort = waits.map((wait, index) => wait < SHORT_WAIT * shortest[index]);
  const isLong = waits.map((wait, index) => wait > LONG_WAIT * longest[index]);
  if (isShort.filter(Boolean).length > MAX_SHORT_WAITS * points.length) {
    // Short waits are usual here; a connection that catches up has several in a row.
    const each = isShort;
    isShort = each.map((_, at) => each.slice(at, at + CATCHING_UP).every(Boolean));
  }
  /** @type {FitPoint[][]} */
  const parts = [[]];
  points.forEach((point, index) => {
    if ((isShort[index] || isLong[index]) && parts[parts.length - 1].length) parts.push([]);
    parts[parts.length - 1].push(point);
  });
  return parts;
}

/**
 * @param {readonly FitPoint[]} points
 * @param {number} scale
 * @returns {number}
 */
function partViolation(points, scale) {
  // Fifths are farther apart than thirds, and need notifications enough for their bounds.
  const parts = points.length >= MIN_FOR_FIFTHS ? 5 : 3;
  const cuts = Array.from({ length: parts + 1 }, (_, part) =>
    Math.floor((points.length * part) / parts),
  );
  // Where each beat is sent by itself, its wait is short, not up to the time between two.
  const atOnce = isSentAtOnce(points, scale);
  const bounds = cuts.slice(1).map((end, index) => {
    const part = points.slice(cuts[index], end);
    const above = part.map((p) => p.receivedNs - toNs(p.last, scale)).sort(compare);
    const below = part
      .map((p) => {
        const byFirst = p.beforeNs - toNs(p.first, scale);
        const byLast = p.receivedNs - toNs(p.last, scale) - SENT_AT_ONCE;
        return atOnce && byLast > byFirst ? byLast : byFirst;
      })
      .sort(compare);
    return {
      below: below[below.length - 1 - Math.floor(below.length / 5)],
      above: above[Math.min(1, above.length - 1)],
    };
  });
  let worst = 0;
  for (let early = 0; early < parts; early += 1) {
    for (let late = early + 1; late < parts; late += 1) {
      const short = Number(bounds[late].below - bounds[early].above);
      const over = Number(bounds[early].below - bounds[late].above);
      if (Math.max(short, over, 0) > Math.abs(worst)) worst = short > over ? short : -over;
    }
  }
  return worst;
}

/**
 * Whether notifications follow the beats, and not a timer of the usual time between them.
 *
 * @param {readonly FitPoint[]} points
 * @param {number} scale
 * @returns {boolean}
 */
function isSentAtOnce(points, scale) {
  if (points.some(({ beats }) => beats !== 1)) return false;
  const byBeat = sum(points.map((p) => Math.abs(p.waitNs - (p.ticks * SECOND_NS) / scale)));
  const byTimer = sum(points.map((p) => Math.abs(p.waitNs - SECOND_NS)));
  return byBeat < byTimer / 2;
}

/**
 * @param {number} ticks
 * @param {number} scale
 * @returns {bigint}
 */
function toNs(ticks, scale) {
  return floorDivide(BigInt(ticks) * SECOND, BigInt(scale));
}

/**
 * @param {bigint} a
 * @param {bigint} b
 * @returns {number}
 */
function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * @param {readonly number[]} values one at least
 * @returns {number}
 */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
