// When each beat was, from RR ticks and the times at which notifications arrived: the same as
// ingest/timing/beat_clock.py, which says how and why (the clock filter of NTP, RFC 5905).
//
// A time once given is never changed. Times are strictly increasing within a stream.

import { STRAP_TICKS_PER_SECOND } from "../straps/heart_rate.js";
import { ClockSkewEstimator } from "./clock_skew.js";
import {
  GapReason,
  MILLISECOND,
  MINUTE,
  SECOND,
  absolute,
  floorDivide,
  smallest,
} from "./units.js";

// Later than this after its last beat, a notification cannot be a held-up one: beats are missing.
export const MAX_DELAY = 8n * SECOND;
// If even the fastest of this many notifications is later than this, beats are missing too.
const PERSISTENT_DELAY = 2n * SECOND;
const PERSISTENT_COUNT = 8;
// A wall clock that moves this much against the monotonic one was set.
export const CLOCK_STEP = 1n * SECOND;
// How fast beat times may be slewed: (when off by at least, share of the time that passes).
/** @type {readonly (readonly [bigint, number])[]} */
const SLEW_RATES = [
  [250n * MILLISECOND, 0.25],
  [40n * MILLISECOND, 0.05],
  [0n, 0.01],
];
// No beat is placed later than this after it arrived: delay is never negative.
export const MAX_AHEAD = 1n * SECOND;
// Without RR for longer than this, or than 1.5 beats and the second in which they are sent.
const MAX_WITHOUT_RR = 3n * SECOND;
const SLEW_STEP = 100_000n; // ns: a multiple of it is added to the beats of a notification

/** The clock went back so far that times would no longer increase: a new stream must begin. */
export class ClockSteppedBackError extends Error {
  constructor() {
    super("The clock was set back.");
    this.name = "ClockSteppedBackError";
  }
}

/**
 * @typedef {{startNs: bigint, endNs: bigint, reason: string}} ClockGap
 * @typedef {{beatTimesNs: bigint[], gap: ClockGap | null}} Placement
 */

/** Places the beats of one stream. */
export class BeatClock {
  #ticksPerSecond;
  /** @type {bigint | null} */
  #last;
  #strapTime = 0n; // of the last beat, by its ticks alone
  #offset = 0n; // what was added to strap time to place the last beat
  #skew = new ClockSkewEstimator();
  /** @type {bigint[]} */
  #late = [];
  /** @type {bigint | null} */
  #wallMinusMonotonic = null;
  #isAnchored = false;
  /** @type {string | null} */
  #breakReason;

  /**
   * `afterNs` is the last beat already placed, when a stream goes on after a restart, and `why` is
   * why there was a break.
   *
   * @param {number} [ticksPerSecond]
   * @param {bigint | null} [afterNs]
   * @param {string} [why]
   */
  constructor(
    ticksPerSecond = STRAP_TICKS_PER_SECOND,
    afterNs = null,
    why = GapReason.LINK_LOST,
  ) {
    this.#ticksPerSecond = BigInt(ticksPerSecond);
    this.#last = afterNs;
    this.#breakReason = afterNs === null ? null : why;
  }

  /** The last beat placed. */
  get lastBeatNs() {
    return this.#last;
  }

  /** Whether the next beat begins after a gap. */
  get isBroken() {
    return this.#breakReason !== null;
  }

  /** Whether beats follow those before by ticks alone. */
  get isRunning() {
    return this.#isAnchored && this.#last !== null && this.#breakReason === null;
  }

  /**
   * The smallest and largest of the last few delays (arrival less last beat), if there are any.
   *
   * @returns {{least: bigint, most: bigint} | null}
   */
  get recentDelays() {
    if (!this.#late.length) return null;
    const most = -smallest(this.#late.map((late) => -late));
    return { least: smallest(this.#late), most };
  }

  /**
   * Note that the unbroken count ended: the next beat begins after a gap.
   *
   * @param {string} reason
   */
  interrupt(reason) {
    if (this.#last !== null && this.#breakReason === null) this.#breakReason = reason;
  }

  /**
   * The lengths of intervals in ns.
   *
   * @param {readonly number[]} rrTicks
   * @returns {bigint[]}
   */
  spansOf(rrTicks) {
    return rrTicks.map((ticks) => {
      const span = (BigInt(ticks) * SECOND) / this.#ticksPerSecond;
      return span < 1n ? 1n : span;
    });
  }

  /**
   * Compute the times of the beats that end the intervals `rrTicks` (oldest first). `monotonicNs`
   * shows when the wall clock is set. Throws ClockSteppedBackError when it was set back behind the
   * last beat.
   *
   * @param {readonly number[]} rrTicks
   * @param {bigint} receivedNs
   * @param {bigint | null} [monotonicNs]
   * @param {boolean | null} [contact]
   * @param {number} [heartRateBpm]
   * @returns {Placement}
   */
  place(rrTicks, receivedNs, monotonicNs = null, contact = null, heartRateBpm = 0) {
    this.#checkWallClock(receivedNs, monotonicNs);
    if (!rrTicks.length) return this.#withoutBeats(receivedNs, contact, heartRateBpm);
    const spans = this.spansOf(rrTicks);
    const total = spans.reduce((whole, span) => whole + span, 0n);
    if (!this.#isAnchored || this.#last === null || this.#breakReason !== null) {
      return this.#anchor(spans, total, receivedNs, this.#breakReason);
    }
    const late = receivedNs - (this.#last + total);
    this.#late.push(late);
    if (this.#late.length > PERSISTENT_COUNT) this.#late.shift();
    const isPersistent =
      this.#late.length === PERSISTENT_COUNT && smallest(this.#late) > PERSISTENT_DELAY;
    if (late > MAX_DELAY || isPersistent) {
      return this.#anchor(spans, total, receivedNs, GapReason.LINK_LOST);
    }
    this.#strapTime += total;
    this.#skew.add(this.#strapTime, receivedNs - this.#strapTime);
    let slew = this.#slew(total);
    slew += this.#holdBack(total + slew, receivedNs);
    return { beatTimesNs: this.#followTicks(spans, total, slew), gap: null };
  }

  /**
   * Nanoseconds, none or negative, that keep the last beat within MAX_AHEAD of its arrival.
   *
   * @param {bigint} total
   * @param {bigint} receivedNs
   * @returns {bigint}
   */
  #holdBack(total, receivedNs) {
    const ahead = this.#getLast() + total - (receivedNs + MAX_AHEAD);
    if (ahead <= 0n) return 0n;
    const steps = -floorDivide(-ahead, SLEW_STEP) * SLEW_STEP;
    const back = -(total < steps ? total : steps);
    this.#move(back);
    return back;
  }

  /**
   * @param {bigint} receivedNs
   * @param {boolean | null} contact
   * @param {number} heartRateBpm
   * @returns {Placement}
   */
  #withoutBeats(receivedNs, contact, heartRateBpm) {
    if (contact === false) this.interrupt(GapReason.CONTACT_LOST);
    // Heart rate alone, long enough that a beat must have passed, means RR were not sent.
    const slow = heartRateBpm
      ? (3n * MINUTE) / BigInt(2 * Math.max(heartRateBpm, 20)) + 2n * SECOND
      : 0n;
    const longest = slow > MAX_WITHOUT_RR ? slow : MAX_WITHOUT_RR;
    if (this.#last !== null && receivedNs - this.#last > longest) {
      this.interrupt(GapReason.NO_RR_SENT);
    }
    return { beatTimesNs: [], gap: null };
  }

  /**
   * @param {bigint} receivedNs
   * @param {bigint | null} monotonicNs
   */
  #checkWallClock(receivedNs, monotonicNs) {
    if (monotonicNs === null) return;
    const offset = receivedNs - monotonicNs;
    const before = this.#wallMinusMonotonic;
    this.#wallMinusMonotonic = offset;
    if (before === null || absolute(offset - before) < CLOCK_STEP) return;
    if (offset < before && this.#last !== null && receivedNs <= this.#last) {
      throw new ClockSteppedBackError();
    }
    this.interrupt(GapReason.CLOCK_STEPPED);
  }

  /**
   * Place the last beat at its arrival: the first delay is the only estimate there is.
   *
   * @param {readonly bigint[]} spans
   * @param {bigint} total
   * @param {bigint} receivedNs
   * @param {string | null} reason
   * @returns {Placement}
   */
  #anchor(spans, total, receivedNs, reason) {
    let start = receivedNs - total;
    const before = this.#last;
    // The intervals reach back over the break (or the clock went back a little): go on from the
    // last beat, so that time still increases; slewing corrects the rest.
    if (before !== null && start < before) start = before;
    this.#last = start;
    this.#strapTime = total;
    this.#offset = start;
    this.#skew = new ClockSkewEstimator();
    this.#skew.add(total, receivedNs - total);
    this.#late = [];
    this.#isAnchored = true;
    this.#breakReason = null;
    const beatTimesNs = this.#followTicks(spans, total, this.#holdBack(total, receivedNs));
    const gap = before === null || reason === null ? null : { startNs: before, endNs: start, reason };
    return { beatTimesNs, gap };
  }

  /**
   * Nanoseconds by which to move this notification's beats towards the smallest delay.
   *
   * @param {bigint} total
   * @returns {bigint}
   */
  #slew(total) {
    const off = this.#skew.at(this.#strapTime) - this.#offset;
    const size = absolute(off);
    const rate = SLEW_RATES.find(([above]) => size >= above);
    const most = BigInt(Math.trunc(Number(total) * (rate ? rate[1] : 0)));
    const bounded = off > most ? most : off < -most ? -most : off;
    // In whole steps, far below the noise: the encoded blocks of a store hold each slew.
    const slew = (bounded / SLEW_STEP) * SLEW_STEP;
    this.#move(slew);
    return slew;
  }

  /** @param {bigint} by */
  #move(by) {
    this.#offset += by;
    this.#late = this.#late.map((late) => late - by);
  }

  /**
   * @param {readonly bigint[]} spans
   * @param {bigint} total
   * @param {bigint} slew
   * @returns {bigint[]}
   */
  #followTicks(spans, total, slew) {
    const start = this.#getLast();
    /** @type {bigint[]} */
    const times = [];
    let run = 0n;
    let previous = start;
    for (const span of spans) {
      run += span;
      // The slew is shared in proportion, so each step stays positive.
      const time = start + run + floorDivide(slew * run, total);
      previous = time > previous ? time : previous + 1n;
      times.push(previous);
    }
    this.#last = previous;
    return times;
  }

  /** @returns {bigint} */
  #getLast() {
    if (this.#last === null) throw new RangeError("no beat was placed yet");
    return this.#last;
  }
}
