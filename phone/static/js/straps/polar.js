// Polar's own measurement service (PMD): pulse intervals of optical sensors, which send no RR.
// The same as ingest/straps/polar/measurement.py, for pulse intervals only.
//
// Source: Polar Electro, "Polar Measurement Data Specification" (2023). Numbers are little-endian.
// A data frame is: type (1 byte), timestamp of its last sample (8), frame type (1), samples.

import { MalformedMeasurementError, readU16 } from "./heart_rate.js";

/** @typedef {import("./heart_rate.js").Measurement} Measurement */

export const PMD_SERVICE = "fb005c80-02e7-f387-1cad-8acd2d8df0c8";
export const PMD_CONTROL = "fb005c81-02e7-f387-1cad-8acd2d8df0c8";
export const PMD_DATA = "fb005c82-02e7-f387-1cad-8acd2d8df0c8";

export const PPI_TICKS_PER_SECOND = 1000; // pulse intervals are in milliseconds
/** Starts pulse intervals; they have no settings. */
export const START_PPI = Uint8Array.of(0x02, 3);

const FEATURES = 0x0f;
const RESPONSE = 0xf0;
const PPI = 3;
const HEADER = 10;
const SAMPLE = 6;

/**
 * Whether a device can send pulse intervals, from a read of PMD_CONTROL.
 *
 * @param {Uint8Array} read
 * @returns {boolean}
 */
export function offersPpi(read) {
  return read.length >= 2 && read[0] === FEATURES && Boolean((read[1] >> PPI) & 1);
}

/**
 * The status of an answer of the control point: 0 is success, 6 "measures this already".
 *
 * @param {Uint8Array} indication
 * @returns {number}
 */
export function responseStatus(indication) {
  return indication.length >= 4 && indication[0] === RESPONSE ? indication[3] : -1;
}

/**
 * Decode a frame of pulse-to-pulse intervals, as a measurement with ticks of 1/1000 s.
 *
 * An interval of 0 is no beat. Where the device itself marks one as blocked (movement, poor
 * signal), the whole frame counts as without contact: its beats are stored, and no HRV is computed
 * from them. Throws MalformedMeasurementError.
 *
 * @param {Uint8Array} payload
 * @returns {Measurement}
 */
export function decodePpi(payload) {
  if (payload.length < HEADER) {
    throw new MalformedMeasurementError(payload, "a Polar frame is cut short");
  }
  const kind = payload[0];
  const frameType = payload[9];
  const body = payload.subarray(HEADER);
  if (kind !== PPI || frameType !== 0) {
    throw new MalformedMeasurementError(payload, `not pulse intervals (type ${kind}, ${frameType})`);
  }
  if (body.length % SAMPLE) {
    throw new MalformedMeasurementError(payload, "its last pulse interval is cut");
  }
  let heartRateBpm = 0;
  /** @type {boolean | null} */
  let contact = null;
  let isBlocked = false;
  /** @type {number[]} */
  const rrTicks = [];
  for (let at = 0; at < body.length; at += SAMPLE) {
    heartRateBpm = body[at];
    const interval = readU16(body, at + 1);
    const flags = body[at + 5];
    contact = flags & 4 ? Boolean(flags & 2) : null;
    isBlocked = isBlocked || Boolean(flags & 1);
    if (interval) rrTicks.push(interval);
  }
  return {
    heartRateBpm,
    contact: isBlocked ? false : contact,
    energyKj: null,
    rrTicks,
    noValueAt: [],
    faults: [],
  };
}
