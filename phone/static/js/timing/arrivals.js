// Arrivals in a page, which the browser may hold up for minutes, before the pipeline.
//
// A page that is frozen (Page Lifecycle) gets its notifications late and all at once: measured in
// Chromium, none is lost and all carry the time of the thaw. Their beats are then placed by the
// strap's own ticks, if these fill the time since the last beat: a queue that lost nothing does.
// `receivedNs` stays the real arrival, which shows in the store that they were late. Where ticks do
// not fill the time, several readings are possible: the intervals are left out, and the next beat
// begins after a gap.
//
// A phone's sleep stops `performance.now()` but not the wall clock, which then looks as if it had
// been set forward. Where the strap's ticks fill that time, it was sleep.

import { CLOCK_STEP, MAX_DELAY } from "./beat_clock.js";
import { GapReason, MILLISECOND, SECOND } from "./units.js";

/** @typedef {import("./pipeline.js").NotificationPipeline} NotificationPipeline */
/** @typedef {import("./pipeline.js").RawNotification} RawNotification */
/** @typedef {import("./pipeline.js").Processed} Processed */
/** @typedef {{raw: RawNotification, processed: Processed, isLate: boolean}} Arrival */

const SILENCE = 5n * SECOND; // straps notify once a second
export const AT_ONCE = 150n * MILLISECOND;
// The page wakes at most one notification (1 s and a little) after the last one that waited.
const NOTIFICATION_PERIOD = 1200n * MILLISECOND;
const TOLERANCE = 250n * MILLISECOND;
const DRIFT_PER_MILLION = 200n;
// Before eight delays were seen: a beat is sent within a second and a slow beat.
const USUAL_DELAYS = { least: 0n, most: 1500n * MILLISECOND };

export class Arrivals {
  #pipeline;
  /** @type {RawNotification[]} */
  #waiting = [];
  /** @type {RawNotification | null} */
  #previous = null;
  #isBroken = true; // what comes next does not follow what came
  #sleptNs = 0n;

  /** @param {NotificationPipeline} pipeline */
  constructor(pipeline) {
    this.#pipeline = pipeline;
  }

  /** Whether notifications wait for those that come at once with them: call `flush` soon. */
  get isCollecting() {
    return this.#waiting.length > 0;
  }

  /**
   * Add a notification; those that are placed now, in order.
   *
   * @param {RawNotification} raw
   * @returns {Arrival[]}
   */
  add(raw) {
    /** @type {Arrival[]} */
    const placed = [];
    const previous = this.#previous;
    const waited = previous === null ? 0n : longestWait(previous, raw);
    if (this.isCollecting) {
      if (waited <= AT_ONCE) {
        this.#previous = raw;
        this.#waiting.push(raw);
        return placed;
      }
      placed.push(...this.flush());
    }
    const mayBeLate = !this.#isBroken && waited > SILENCE && this.#pipeline.clock.isRunning;
    this.#previous = raw;
    this.#isBroken = false;
    if (mayBeLate) this.#waiting.push(raw);
    else placed.push(this.#process(raw));
    return placed;
  }

  /**
   * Begin a gap. What waits came before it.
   *
   * @param {string} reason
   * @returns {Arrival[]}
   */
  interrupt(reason) {
    const placed = this.flush();
    this.#pipeline.interrupt(reason);
    this.#isBroken = true;
    return placed;
  }

  /**
   * Place what waits.
   *
   * @returns {Arrival[]}
   */
  flush() {
    const late = this.#waiting;
    this.#waiting = [];
    const clock = this.#pipeline.clock;
    const last = clock.lastBeatNs;
    if (late.length < 2 || last === null) return late.map((raw) => this.#process(raw));
    const measurements = late.map((raw) => this.#pipeline.peek(raw.payload));
    let total = 0n;
    const ends = measurements.map((measurement) => {
      for (const span of clock.spansOf(measurement ? measurement.rrTicks : [])) total += span;
      return last + total;
    });
    const thawed = late[late.length - 1].receivedNs;
    if (thawed - ends[0] <= MAX_DELAY && thawed >= ends[0]) {
      return late.map((raw) => this.#process(raw)); // held up only shortly: the clock follows
    }
    const open = thawed - (last + total);
    const tolerance = TOLERANCE + ((thawed - last) * DRIFT_PER_MILLION) / 1_000_000n;
    const { least, most } = clock.recentDelays ?? USUAL_DELAYS;
    const isWhole = measurements.every((measurement) => measurement !== null);
    const isShort = open > most + NOTIFICATION_PERIOD + tolerance;
    if (!isWhole || isShort || open < least - tolerance) {
      const placed = late.map((raw) => ({
        raw,
        processed: this.#pipeline.processUnplaced(raw),
        isLate: true,
      }));
      this.#pipeline.interrupt(isShort || !isWhole ? GapReason.LINK_LOST : GapReason.OFF_THE_CLOCK);
      return placed;
    }
    this.#noteSleep(late[0]);
    return late.map((raw, index) => this.#processAt(raw, ends[index] + least));
  }

  /**
   * Process as if it had arrived when the strap sent it.
   *
   * @param {RawNotification} raw
   * @param {bigint} sentNs
   * @returns {Arrival}
   */
  #processAt(raw, sentNs) {
    const receivedNs = sentNs < raw.receivedNs ? sentNs : raw.receivedNs;
    const monotonicNs = raw.monotonicNs + this.#sleptNs - (raw.receivedNs - receivedNs);
    const processed = this.#pipeline.process({ payload: raw.payload, receivedNs, monotonicNs });
    if (processed.kind === "accepted") {
      const real = (raw.receivedNs / MILLISECOND) * MILLISECOND;
      for (let part = /** @type {typeof processed | null} */ (processed); part; part = part.rest) {
        part.notification.receivedNs = real;
      }
    }
    return { raw, processed, isLate: true };
  }

  /**
   * @param {RawNotification} raw
   * @returns {Arrival}
   */
  #process(raw) {
    const clock = this.#pipeline.clock;
    const measurement = this.#pipeline.peek(raw.payload);
    if (measurement && clock.isRunning && clock.lastBeatNs !== null) {
      const spans = clock.spansOf(measurement.rrTicks);
      const end = spans.reduce((time, span) => time + span, clock.lastBeatNs);
      if (spans.length && raw.receivedNs - end <= MAX_DELAY) this.#noteSleep(raw);
    }
    const monotonicNs = raw.monotonicNs + this.#sleptNs;
    this.#remember(raw);
    const processed = this.#pipeline.process({ ...raw, monotonicNs });
    return { raw, processed, isLate: false };
  }

  /** @type {bigint | null} */
  #offset = null;

  /** @param {RawNotification} raw */
  #remember(raw) {
    this.#offset = raw.receivedNs - raw.monotonicNs;
  }

  /**
   * The strap's ticks fill the time of the wall clock: what the monotonic clock lacks was sleep.
   *
   * @param {RawNotification} raw
   */
  #noteSleep(raw) {
    const jump = this.#offset === null ? 0n : raw.receivedNs - raw.monotonicNs - this.#offset;
    if (jump >= CLOCK_STEP) this.#sleptNs += jump;
    this.#remember(raw);
  }
}

/**
 * @param {RawNotification} before
 * @param {RawNotification} after
 * @returns {bigint}
 */
function longestWait(before, after) {
  const wall = after.receivedNs - before.receivedNs;
  const monotonic = after.monotonicNs - before.monotonicNs;
  return wall > monotonic ? wall : monotonic;
}
