// Times: UTC nanoseconds in BigInt, since they do not fit the 53 bits of a number; durations too.

export const MILLISECOND = 1_000_000n;
export const SECOND = 1_000_000_000n;
export const MINUTE = 60n * SECOND;

/** A strap that reads this or less before it is lost may well be empty: ebbtide/beats.py. */
export const LOW_BATTERY_PERCENT = 10;

/** Why there are no beats for a while: ebbtide/beats.py, GapReason. */
export const GapReason = Object.freeze({
  LINK_LOST: "link lost",
  BATTERY_LOW: "battery low",
  CONNECTION_REFUSED: "connection refused",
  CONTACT_LOST: "contact lost",
  NO_RR_SENT: "no RR sent",
  PAUSED: "paused",
  PERMISSION_LOST: "permission taken away",
  CLOCK_STEPPED: "clock stepped",
  DISK_FULL: "disk full",
  OFF_THE_CLOCK: "intervals off the clock",
  LOST_AT_A_RESTORE: "lost at a restore",
});

/**
 * Divide and round down, as Python's `//`; `/` of BigInt rounds towards zero.
 *
 * @param {bigint} dividend
 * @param {bigint} divisor above 0
 * @returns {bigint}
 */
export function floorDivide(dividend, divisor) {
  const quotient = dividend / divisor;
  return dividend < 0n && quotient * divisor !== dividend ? quotient - 1n : quotient;
}

/**
 * Divide to the nearest number, as Python's `/` of two integers beyond 2^53: `Number(a) / b` would
 * round twice.
 *
 * @param {bigint} dividend
 * @param {bigint} divisor above 0
 * @returns {number}
 */
export function trueDivide(dividend, divisor) {
  const negative = dividend < 0n;
  const shifted = (negative ? -dividend : dividend) << 64n;
  let quotient = shifted / divisor;
  // A last bit that stands for the remainder decides a tie; it lies far below the 53 that stay.
  if (quotient * divisor !== shifted) quotient |= 1n;
  const value = Number(quotient) / 2 ** 64;
  return negative ? -value : value;
}

/**
 * @param {bigint} value
 * @returns {bigint}
 */
export function absolute(value) {
  return value < 0n ? -value : value;
}

/**
 * @param {bigint[]} values one at least
 * @returns {bigint}
 */
export function smallest(values) {
  return values.reduce((least, value) => (value < least ? value : least));
}

/**
 * @param {readonly number[]} values
 * @returns {number}
 */
export function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
