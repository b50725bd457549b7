// Detects notifications that were delivered twice: the same as ingest/timing/duplicates.py, which
// says how and why. Equality alone proves nothing: the proof is that a heart cannot have beaten
// that long in so short a time.

import { MILLISECOND, SECOND, smallest } from "./units.js";

const AT_ONCE = 150n * MILLISECOND;
const RECENT_DELAYS = 256; // notifications
const HISTORY = 32; // intervals
// Pairs in a row, of different content, that prove a second delivery; how late it may be.
const MIN_PAIRS = 3;
const COPY_WITHIN = 1500n * MILLISECOND;
const MIN_REPEATED = 3; // varied intervals sent before, in the same order, cannot be chance

export class DuplicateFilter {
  #ticksPerSecond;
  /** @type {number[]} */
  #history = [];
  #payload = "";
  /** @type {bigint | null} */
  #arrived = null;
  // A burst (less than 150 ms apart): the arrival before it, and the sum of its intervals.
  /** @type {bigint | null} */
  #beforeBurst = null;
  #burstSpan = 0n;
  #afterBreak = false;
  // Arrivals less the running sum of intervals; the smallest is the delay of the connection.
  #elapsed = 0n;
  /** @type {bigint[]} */
  #delays = [];
  // Whether the last accepted one, and the one before it, had a copy that was dropped.
  #isCopied = false;
  #lastHadCopy = false;
  // The same as elapsed and delays with the copies counted.
  #elapsedWithCopies = 0n;
  /** @type {bigint[]} */
  #delaysWithCopies = [];
  /** @type {{payload: string, received: bigint, span: bigint, isCopy: boolean}[]} */
  #arrivals = [];
  /** @type {{payload: string, received: bigint}[]} */
  #awaited = [];
  #singles = 0;
  isDoubled = false;
  doubledSinceNs = 0n;

  /** @param {number} ticksPerSecond */
  constructor(ticksPerSecond) {
    this.#ticksPerSecond = BigInt(ticksPerSecond);
  }

  /** Note a reconnect: the next notification may repeat what came before. */
  interrupt() {
    this.#afterBreak = true;
    this.#isCopied = false;
    this.#lastHadCopy = false;
    this.#forgetDelays();
  }

  /**
   * Whether these beats were sent before. If not, they join the history. Call it for every
   * notification, also for one without beats or that cannot be decoded (`rrTicks` empty).
   *
   * @param {string} payload hexadecimal
   * @param {readonly number[]} rrTicks
   * @param {bigint} received
   * @returns {boolean}
   */
  isDuplicate(payload, rrTicks, received) {
    const ticks = rrTicks.reduce((total, one) => total + one, 0);
    const span = (BigInt(ticks) * SECOND) / this.#ticksPerSecond;
    if (rrTicks.length && this.#isSecondDelivery(payload, span, received)) return true;
    const since = this.#arrived === null ? null : received - this.#arrived;
    const isAtOnce = since !== null && since >= 0n && since < AT_ONCE;
    if (rrTicks.length && since !== null) {
      const isSoon = since >= 0n && since < span / 2n;
      if (this.#afterBreak && this.#isInHistory(rrTicks)) {
        const isVaried = rrTicks.length >= MIN_REPEATED && new Set(rrTicks).size > 1;
        if (isVaried || isSoon) return true;
      }
      if (
        !this.#afterBreak &&
        payload === this.#payload &&
        !this.#hasTimeFor(span, received)
      ) {
        // What comes at once with its equal is a copy also while the link is late by more than
        // half of its length.
        const margin = isAtOnce && AT_ONCE < span / 2n ? AT_ONCE : span / 2n;
        const isEarly = this.#isTooEarly(span, received, margin);
        // Where intervals are missing, copies are not early; but then each has one.
        if ((isAtOnce && (isEarly || this.#lastHadCopy)) || (isSoon && isEarly)) {
          this.#lastHadCopy = true;
          this.#isCopied = true;
          return true;
        }
      }
    }
    this.#lastHadCopy = this.#isCopied;
    this.#isCopied = false;
    // Its intervals are missing from the sum, or the clock was set.
    if (!rrTicks.length || (since !== null && since < 0n)) this.#forgetDelays();
    this.#accept(payload, rrTicks, received, span, isAtOnce);
    return false;
  }

  /**
   * @param {string} payload
   * @param {readonly number[]} rrTicks
   * @param {bigint} received
   * @param {bigint} span
   * @param {boolean} isAtOnce
   */
  #accept(payload, rrTicks, received, span, isAtOnce) {
    this.#elapsed += span;
    this.#delays.push(received - this.#elapsed);
    if (this.#delays.length > RECENT_DELAYS) this.#delays.shift();
    if (!isAtOnce) {
      this.#beforeBurst = this.#afterBreak ? null : this.#arrived;
      this.#burstSpan = 0n;
    }
    this.#burstSpan += span;
    this.#arrived = received;
    this.#payload = payload;
    this.#history = [...this.#history, ...rrTicks].slice(-HISTORY);
    if (rrTicks.length) this.#afterBreak = false;
  }

  /**
   * Whether all is delivered twice, and this is the copy of one before.
   *
   * @param {string} payload
   * @param {bigint} span
   * @param {bigint} received
   * @returns {boolean}
   */
  #isSecondDelivery(payload, span, received) {
    const awaited = this.#awaited;
    while (awaited.length) {
      const waited = received - awaited[0].received;
      if (waited >= 0n && waited <= COPY_WITHIN) break;
      awaited.shift();
      this.#singles += 1;
    }
    const at = awaited.findIndex((one) => one.payload === payload);
    const isCopy = at >= 0;
    if (isCopy) {
      awaited.splice(at, 1);
      this.#singles = 0;
    } else {
      awaited.push({ payload, received });
    }
    this.#arrivals.push({ payload, received, span, isCopy });
    if (this.#arrivals.length > 2 * MIN_PAIRS) this.#arrivals.shift();
    this.#elapsedWithCopies += span;
    this.#delaysWithCopies.push(received - this.#elapsedWithCopies);
    if (this.#delaysWithCopies.length > RECENT_DELAYS) this.#delaysWithCopies.shift();
    if (this.isDoubled) {
      this.isDoubled = this.#singles < MIN_PAIRS;
    } else if (this.#comesInPairs()) {
      this.isDoubled = true;
      this.doubledSinceNs = this.#arrivals[0].received;
      this.#singles = 0;
      this.#forgetDelays(); // copies may have been accepted: the running sum is too large
    }
    return this.isDoubled && isCopy;
  }

  /** @returns {boolean} */
  #comesInPairs() {
    const arrivals = this.#arrivals;
    const copies = arrivals.filter(({ isCopy }) => isCopy).length;
    if (arrivals.length < 2 * MIN_PAIRS || copies !== MIN_PAIRS) return false;
    if (new Set(arrivals.map(({ payload }) => payload)).size < MIN_PAIRS) return false;
    const passed = arrivals[arrivals.length - 1].received - arrivals[0].received;
    // Without the first, of which only the end lies in this time.
    const total = arrivals.slice(1).reduce((whole, { span }) => whole + span, 0n);
    // More at once than twice what a heart gives: they were held up, and are no proof.
    const inTime = Number(total);
    if (!(inTime / 4 < Number(passed) && Number(passed) < inTime / 1.4)) return false;
    const delays = this.#delaysWithCopies;
    const before = delays.slice(0, -arrivals.length);
    return before.length > 0 && delays[delays.length - 1] < smallest(before) - total / 4n;
  }

  #forgetDelays() {
    this.#delays = [];
    this.#delaysWithCopies = [];
  }

  /**
   * Whether a held-up connection explains this: time has passed for the whole burst.
   *
   * @param {bigint} span
   * @param {bigint} received
   * @returns {boolean}
   */
  #hasTimeFor(span, received) {
    if (this.#beforeBurst === null) return false;
    return received - this.#beforeBurst >= this.#burstSpan + span / 2n;
  }

  /**
   * Whether this came by more than `margin` before what even the smallest recent delay allows.
   *
   * @param {bigint} span
   * @param {bigint} received
   * @param {bigint} margin
   * @returns {boolean}
   */
  #isTooEarly(span, received, margin) {
    const quickest = this.#delays.length ? smallest(this.#delays) : received;
    return received - (this.#elapsed + span) < quickest - margin;
  }

  /**
   * @param {readonly number[]} rrTicks
   * @returns {boolean}
   */
  #isInHistory(rrTicks) {
    const start = this.#history.length - rrTicks.length;
    return start >= 0 && rrTicks.every((ticks, index) => this.#history[start + index] === ticks);
  }
}
