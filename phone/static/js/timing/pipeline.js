// From the bytes of a notification to beats with times: decode, drop duplicates, place in time. The
// same as ingest/pipeline.py, and `placeLate` for what a frozen page gets all at once.

import { Fault, MalformedMeasurementError, toHex } from "../straps/heart_rate.js";
import { BeatClock, ClockSteppedBackError, MAX_AHEAD } from "./beat_clock.js";
import { DuplicateFilter } from "./duplicate_filter.js";
import { IntervalFit } from "./interval_fit.js";
import { GapReason, MILLISECOND, SECOND, floorDivide } from "./units.js";

// A strap that fills unused places with a code does so in most notifications.
const PADS_AFTER = 3;
const LONG_INTERVAL = 3n * SECOND;

/** @typedef {import("../straps/heart_rate.js").Measurement} Measurement */
/** @typedef {import("./interval_fit.js").Misfit} Misfit */
/** @typedef {import("./beat_clock.js").ClockGap} ClockGap */
/** @typedef {import("./beat_clock.js").Placement} Placement */

/**
 * The bytes of one notification and when they arrived. `monotonicNs` shows when the clock is set.
 *
 * @typedef {object} RawNotification
 * @property {Uint8Array} payload
 * @property {bigint} receivedNs
 * @property {bigint} monotonicNs
 */
/**
 * A notification with its beats placed; the outbox gives its number.
 *
 * @typedef {object} Notification
 * @property {bigint} receivedNs
 * @property {number} heartRateBpm
 * @property {number[]} rrTicks
 * @property {bigint[]} beatTimesNs
 * @property {boolean | null} contact
 * @property {number | null} energyKj
 */
/**
 * `startsStream`: it cannot go on in the same stream, since the clock was set back behind the last
 * beat or the scale of the intervals is another. `rest` are the intervals after a place without a
 * value, which follow no beat.
 *
 * @typedef {object} Accepted
 * @property {"accepted"} kind
 * @property {Notification} notification
 * @property {ClockGap | null} gap
 * @property {boolean} startsStream
 * @property {string[]} faults
 * @property {Misfit | null} misfit
 * @property {Accepted | null} rest
 */
/** @typedef {Accepted | {kind: "duplicate"} | {kind: "malformed", reason: string}} Processed */
/**
 * The stream that is continued.
 *
 * @typedef {object} Previous
 * @property {bigint | null} lastBeatNs
 * @property {string | null} endReason why its recording ended; null where it broke off
 */

/** Processes the notifications of one strap, in the order of their arrival. */
export class NotificationPipeline {
  #decode;
  #clock;
  #duplicates;
  #fit;
  /** @type {number | null} */
  #nextScale = null;
  /** @type {Misfit | null} */
  #distrusted = null;
  #withCodes = 0;
  /** @type {Misfit | null} */
  #doubled = null;

  /**
   * @param {(payload: Uint8Array) => Measurement} decode
   * @param {number} ticksPerSecond
   * @param {Previous | null} [previous]
   */
  constructor(decode, ticksPerSecond, previous = null) {
    this.#decode = decode;
    this.ticksPerSecond = ticksPerSecond;
    this.#clock = new BeatClock(
      ticksPerSecond,
      previous ? previous.lastBeatNs : null,
      previous?.endReason ?? GapReason.LINK_LOST,
    );
    this.#duplicates = new DuplicateFilter(ticksPerSecond);
    this.#fit = new IntervalFit(ticksPerSecond);
  }

  /** Whether intervals are left out at the moment because they do not fit the clock. */
  get isDistrusted() {
    return this.#distrusted !== null;
  }

  /** The clock of the stream, to look at. */
  get clock() {
    return this.#clock;
  }

  /**
   * Begin a gap: the count of beats is broken, and the strap may repeat its last ones.
   *
   * @param {string} reason
   */
  interrupt(reason) {
    this.#clock.interrupt(reason);
    this.#duplicates.interrupt();
    this.#fit.reset();
  }

  /**
   * Decode bytes; null where they are no measurement.
   *
   * @param {Uint8Array} payload
   * @returns {Measurement | null}
   */
  peek(payload) {
    try {
      return this.#decode(payload);
    } catch (error) {
      if (error instanceof MalformedMeasurementError) return null;
      throw error;
    }
  }

  /**
   * Decode `raw`, compare it with those before, and place its beats in time.
   *
   * @param {RawNotification} raw
   * @returns {Processed}
   */
  process(raw) {
    const payload = toHex(raw.payload);
    let measurement;
    try {
      measurement = this.#decode(raw.payload);
    } catch (error) {
      if (!(error instanceof MalformedMeasurementError)) throw error;
      // Its beats are missing from the count (clock), and its arrival shows that the connection
      // was not held up (filter).
      this.#loseCount();
      this.#duplicates.isDuplicate(payload, [], raw.receivedNs);
      return { kind: "malformed", reason: error.message };
    }
    const wasDoubled = this.#duplicates.isDoubled;
    if (this.#duplicates.isDuplicate(payload, measurement.rrTicks, raw.receivedNs)) {
      this.#noteDoubled(wasDoubled);
      return { kind: "duplicate" };
    }
    measurement = this.#withoutImpossible(raw, measurement);
    const startsStream = this.#nextScale !== null;
    if (this.#nextScale !== null) this.#startOver(this.#nextScale);
    const doubled = this.#doubled;
    this.#doubled = null;
    const misfit = this.#checkFit(raw, measurement) || doubled;
    if (misfit !== null || this.#distrusted !== null) {
      return this.#acceptUnplaced(raw, measurement, misfit);
    }
    return this.#acceptRuns(raw, measurement, startsStream);
  }

  /**
   * Accept the heart rate alone, without a place in time for its beats.
   *
   * @param {RawNotification} raw
   * @returns {Processed}
   */
  processUnplaced(raw) {
    const measurement = this.peek(raw.payload);
    if (measurement === null) return { kind: "malformed", reason: "not a measurement" };
    return accept(raw, { ...measurement, rrTicks: [] }, { beatTimesNs: [], gap: null });
  }

  #loseCount() {
    this.#clock.interrupt(GapReason.NO_RR_SENT);
    this.#fit.reset();
  }

  /** @param {number} ticksPerSecond */
  #startOver(ticksPerSecond) {
    this.#nextScale = null;
    this.ticksPerSecond = ticksPerSecond;
    this.#clock = new BeatClock(ticksPerSecond);
    this.#duplicates = new DuplicateFilter(ticksPerSecond);
    this.#fit = new IntervalFit(ticksPerSecond);
  }

  /**
   * All is delivered twice, seen just now: some copies were accepted before.
   *
   * @param {boolean} wasDoubled
   */
  #noteDoubled(wasDoubled) {
    if (!this.#duplicates.isDoubled || wasDoubled) return;
    this.#fit.reset();
    this.#clock.interrupt(GapReason.OFF_THE_CLOCK);
    this.#doubled = {
      sinceNs: this.#duplicates.doubledSinceNs,
      filled: 2,
      ticksPerSecond: null,
      isDoubled: true,
    };
  }

  /**
   * Leave out intervals that began before the beat before them, by a second or more: some straps
   * send such a code (9999) within the range of intervals.
   *
   * @param {RawNotification} raw
   * @param {Measurement} measurement
   * @returns {Measurement}
   */
  #withoutImpossible(raw, measurement) {
    const last = this.#clock.lastBeatNs;
    if (!measurement.rrTicks.length || last === null || this.#clock.isBroken) return measurement;
    const open = raw.receivedNs - last + MAX_AHEAD;
    const longest = open > LONG_INTERVAL ? open : LONG_INTERVAL;
    const scale = BigInt(this.ticksPerSecond);
    /** @param {number} ticks */
    const isImpossible = (ticks) => (BigInt(ticks) * SECOND) / scale > longest;
    if (!measurement.rrTicks.some(isImpossible)) return measurement;
    /** @type {number[]} */
    const rrTicks = [];
    const noValueAt = [...measurement.noValueAt];
    for (const ticks of measurement.rrTicks) {
      if (isImpossible(ticks)) noValueAt.push(rrTicks.length);
      else rrTicks.push(ticks);
    }
    noValueAt.sort((a, b) => a - b);
    return {
      ...measurement,
      rrTicks,
      noValueAt,
      faults: [...measurement.faults, Fault.NO_VALUE],
    };
  }

  /**
   * @param {RawNotification} raw
   * @param {Measurement} measurement
   * @returns {Misfit | null}
   */
  #checkFit(raw, measurement) {
    const misfit = this.#fit.add(measurement.rrTicks, raw.receivedNs, measurement.heartRateBpm);
    if (this.#distrusted !== null) {
      if (misfit !== null && misfit.ticksPerSecond !== null) {
        this.#distrusted = null;
        this.#nextScale = misfit.ticksPerSecond;
        return misfit;
      }
      if (this.#fit.isGood) this.#distrusted = null;
      return null;
    }
    if (misfit === null) return null;
    this.#clock.interrupt(GapReason.OFF_THE_CLOCK);
    if (misfit.ticksPerSecond === null) this.#distrusted = misfit;
    else this.#nextScale = misfit.ticksPerSecond;
    return misfit;
  }

  /**
   * Accept the heart rate alone, with the gap over what was written since the misfit.
   *
   * @param {RawNotification} raw
   * @param {Measurement} measurement
   * @param {Misfit | null} misfit
   * @returns {Accepted}
   */
  #acceptUnplaced(raw, measurement, misfit) {
    /** @type {ClockGap | null} */
    let gap = null;
    if (misfit !== null) {
      const after = (this.#clock.lastBeatNs ?? 0n) + 1n;
      const endNs = raw.receivedNs > after ? raw.receivedNs : after;
      const startNs = misfit.sinceNs < endNs ? misfit.sinceNs : endNs;
      gap = { startNs, endNs, reason: GapReason.OFF_THE_CLOCK };
    }
    const unplaced = { ...measurement, rrTicks: [] };
    return { ...accept(raw, unplaced, { beatTimesNs: [], gap }), misfit };
  }

  /**
   * Place each run of intervals between places without a value.
   *
   * @param {RawNotification} raw
   * @param {Measurement} measurement
   * @param {boolean} startsStream
   * @returns {Accepted}
   */
  #acceptRuns(raw, measurement, startsStream) {
    const ticks = measurement.rrTicks;
    const cuts = [...new Set(this.#missingBeats(measurement))].sort((a, b) => a - b);
    const starts = [0, ...cuts];
    const ends = [...cuts, ticks.length];
    const parts = starts.map((start, index) => ({
      ...measurement,
      rrTicks: ticks.slice(start, ends[index]),
    }));
    /** @type {Accepted[]} */
    const accepted = [];
    parts.forEach((part, index) => {
      if (index) this.#loseCount();
      if (part.rrTicks.length || (index === parts.length - 1 && !accepted.length)) {
        accepted.push(this.#acceptOne(raw, part, startsStream && !accepted.length));
      }
    });
    return accepted.reduceRight((rest, part) => ({ ...part, rest }));
  }

  /**
   * Where a beat is missing: not where a strap fills unused places with a code.
   *
   * @param {Measurement} measurement
   * @returns {number[]}
   */
  #missingBeats(measurement) {
    const places = measurement.noValueAt;
    const ticks = measurement.rrTicks;
    if (!places.length) {
      this.#withCodes = 0;
      return [];
    }
    this.#withCodes += 1;
    if (!ticks.length || places[0] < ticks.length) return places;
    // More beats than a second and a beat hold, or the same in most notifications.
    const longest = Math.max(...ticks) / this.ticksPerSecond;
    const count = ticks.length + places.length;
    const pads = (count * Math.min(...ticks)) / this.ticksPerSecond > 1.1 + longest;
    return pads || this.#withCodes > PADS_AFTER ? [] : places;
  }

  /**
   * @param {RawNotification} raw
   * @param {Measurement} measurement
   * @param {boolean} startsStream
   * @returns {Accepted}
   */
  #acceptOne(raw, measurement, startsStream) {
    let placement;
    try {
      placement = this.#place(raw, measurement);
    } catch (error) {
      if (!(error instanceof ClockSteppedBackError)) throw error;
      this.#clock = new BeatClock(this.ticksPerSecond);
      this.#fit.reset();
      placement = this.#place(raw, measurement);
      startsStream = true;
    }
    return { ...accept(raw, measurement, placement), startsStream };
  }

  /**
   * @param {RawNotification} raw
   * @param {Measurement} measurement
   * @returns {Placement}
   */
  #place(raw, measurement) {
    return this.#clock.place(
      measurement.rrTicks,
      raw.receivedNs,
      raw.monotonicNs,
      measurement.contact,
      measurement.heartRateBpm,
    );
  }
}

/**
 * @param {RawNotification} raw
 * @param {Measurement} measurement
 * @param {Placement} placement
 * @returns {Accepted}
 */
function accept(raw, measurement, placement) {
  return {
    kind: "accepted",
    notification: {
      // To the millisecond: finer is Bluetooth jitter.
      receivedNs: floorDivide(raw.receivedNs, MILLISECOND) * MILLISECOND,
      heartRateBpm: measurement.heartRateBpm,
      rrTicks: measurement.rrTicks,
      beatTimesNs: placement.beatTimesNs,
      contact: measurement.contact,
      energyKj: measurement.energyKj,
    },
    gap: placement.gap,
    startsStream: false,
    faults: measurement.faults,
    misfit: null,
    rest: null,
  };
}
