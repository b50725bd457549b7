// Heart Rate Measurement, characteristic 0x2A37: the same as ingest/straps/heart_rate.py.
//
// Source: Bluetooth SIG, Heart Rate Service 1.0, section 3.1. All numbers are little-endian.
// tests/phone/vectors.json holds both decoders to the same results.

export const STRAP_TICKS_PER_SECOND = 1024;

// 10 s, six beats a minute: what is longer is a code (0xFFFF, 0x7FFF, 0x8000), not an interval.
const MAX_RR_TICKS = 10 * STRAP_TICKS_PER_SECOND;

const WIDE_HEART_RATE = 0x01;
const CONTACT_DETECTED = 0x02;
const CONTACT_SUPPORTED = 0x04;
const ENERGY = 0x08;
const RR = 0x10;

/** What a strap's bytes have that the specification does not; the good part is decoded. */
export const Fault = Object.freeze({
  ZERO_PLACES: "intervals of 0 in unused places",
  NO_VALUE: "a code for 'no value' in place of an interval",
  ODD_BYTE: "an odd byte at the end",
  TRAILING_BYTES: "bytes that the flags do not announce",
  ENERGY_CUT: "an energy field that is cut short",
});

/**
 * One notification, decoded. `contact` is null where the strap cannot detect it; `rrTicks` are
 * oldest first and may be empty. `noValueAt` has an index into `rrTicks` for each place that held a
 * code instead of an interval: a beat may be missing before that interval.
 *
 * @typedef {object} Measurement
 * @property {number} heartRateBpm
 * @property {boolean | null} contact
 * @property {number | null} energyKj
 * @property {number[]} rrTicks
 * @property {number[]} noValueAt
 * @property {string[]} faults
 */

/** The bytes are no measurement. */
export class MalformedMeasurementError extends Error {
  /**
   * @param {Uint8Array} payload
   * @param {string} why
   */
  constructor(payload, why) {
    super(`Not a measurement: ${why} (bytes: ${toHex(payload.subarray(0, 24)) || "nothing"}).`);
    this.name = "MalformedMeasurementError";
  }
}

/**
 * Write bytes as hexadecimal digits.
 *
 * @param {Uint8Array} bytes
 * @returns {string}
 */
export function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Decode one notification: its heart rate and its whole intervals, with the faults around them.
 * Throws MalformedMeasurementError only when the heart rate itself is missing.
 *
 * @param {Uint8Array} payload
 * @returns {Measurement}
 */
export function decodeHeartRate(payload) {
  if (payload.length === 0) throw new MalformedMeasurementError(payload, "it is empty");
  const flags = payload[0];
  const width = flags & WIDE_HEART_RATE ? 2 : 1;
  if (payload.length < 1 + width) {
    throw new MalformedMeasurementError(payload, "it ends before its heart rate");
  }
  const heartRateBpm = width === 2 ? readU16(payload, 1) : payload[1];
  const contact = flags & CONTACT_SUPPORTED ? Boolean(flags & CONTACT_DETECTED) : null;
  /** @type {Measurement} */
  const measurement = {
    heartRateBpm,
    contact,
    energyKj: null,
    rrTicks: [],
    noValueAt: [],
    faults: [],
  };
  let rest = payload.subarray(1 + width);
  if (flags & ENERGY) {
    if (rest.length < 2) return { ...measurement, faults: [Fault.ENERGY_CUT] };
    measurement.energyKj = readU16(rest, 0);
    rest = rest.subarray(2);
  }
  if (!(flags & RR)) {
    return { ...measurement, faults: rest.length ? [Fault.TRAILING_BYTES] : [] };
  }
  return { ...measurement, ...readIntervals(rest) };
}

/**
 * The intervals of an RR field, where codes stood between them, and its faults.
 *
 * @param {Uint8Array} rest
 * @returns {{rrTicks: number[], noValueAt: number[], faults: string[]}}
 */
function readIntervals(rest) {
  /** @type {number[]} */
  const rrTicks = [];
  /** @type {number[]} */
  const noValueAt = [];
  let hasZero = false;
  for (let at = 0; at + 1 < rest.length; at += 2) {
    const place = readU16(rest, at);
    if (place > MAX_RR_TICKS) noValueAt.push(rrTicks.length);
    else if (place) rrTicks.push(place);
    else hasZero = true;
  }
  const faults = [];
  if (hasZero) faults.push(Fault.ZERO_PLACES);
  if (noValueAt.length) faults.push(Fault.NO_VALUE);
  if (rest.length % 2) faults.push(Fault.ODD_BYTE);
  return { rrTicks, noValueAt, faults };
}

/**
 * @param {Uint8Array} bytes
 * @param {number} at
 * @returns {number}
 */
export function readU16(bytes, at) {
  return bytes[at] | (bytes[at + 1] << 8);
}
