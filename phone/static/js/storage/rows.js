// How streams, notifications and gaps are written as rows of the database, and read again: JSON, with
// times as strings, since nanoseconds do not fit its numbers.

import { GapReason } from "../timing/units.js";

/** @typedef {import("./database.js").Change} Change */
/** @typedef {import("../timing/pipeline.js").Notification} Notification */
/** @typedef {import("../timing/beat_clock.js").ClockGap} ClockGap */
/**
 * Where a stream stands. `runs` are the acknowledged rows that are still here.
 *
 * @typedef {object} StreamState
 * @property {string} id
 * @property {string} origin
 * @property {string} source
 * @property {bigint} createdNs
 * @property {number} ticksPerSecond
 * @property {number} lastSequence
 * @property {bigint | null} lastBeatNs
 * @property {number} acknowledged
 * @property {boolean} isAnnounced
 * @property {string | null} endReason why its recording ended; null while it goes on or broke off
 * @property {boolean} isRemoved
 * @property {string | null} successor
 * @property {Run[]} runs
 */
/** @typedef {{through: number, counter: number, atMs: number}} Run */

/**
 * @param {{id: string, origin: string, source: string, createdNs: bigint,
 *   ticksPerSecond: number}} stream
 * @returns {StreamState}
 */
export function newState({ id, origin, source, createdNs, ticksPerSecond }) {
  return {
    id,
    origin,
    source,
    createdNs,
    ticksPerSecond,
    lastSequence: 0,
    lastBeatNs: null,
    acknowledged: 0,
    isAnnounced: false,
    endReason: null,
    isRemoved: false,
    successor: null,
    runs: [],
  };
}

/**
 * @param {StreamState} state
 * @returns {Change}
 */
export function putState(state) {
  const value = {
    ...state,
    createdNs: String(state.createdNs),
    lastBeatNs: state.lastBeatNs === null ? null : String(state.lastBeatNs),
  };
  return { store: "streams", key: state.id, value };
}

/**
 * @param {any} value
 * @returns {StreamState}
 */
export function readState(value) {
  const { isPaused, ...state } = value; // of versions that knew no other reason
  return {
    ...state,
    endReason: value.endReason ?? (isPaused ? GapReason.PAUSED : null),
    createdNs: BigInt(value.createdNs),
    lastBeatNs: value.lastBeatNs === null ? null : BigInt(value.lastBeatNs),
  };
}

/**
 * Keys of one stream sort by number.
 *
 * @param {string} streamId
 * @param {number} sequence
 * @returns {string}
 */
export function rowKey(streamId, sequence) {
  return `${streamId}/${String(sequence).padStart(10, "0")}`;
}

/**
 * @param {string | number} key
 * @returns {number}
 */
export function sequenceOf(key) {
  return Number(String(key).slice(-10));
}

/**
 * @param {Notification} notification
 * @returns {unknown}
 */
export function writeNotification(notification) {
  return {
    ...notification,
    receivedNs: String(notification.receivedNs),
    beatTimesNs: notification.beatTimesNs.map(String),
  };
}

/**
 * @param {any} value
 * @returns {Notification}
 */
export function readNotification(value) {
  return {
    ...value,
    receivedNs: BigInt(value.receivedNs),
    beatTimesNs: value.beatTimesNs.map(BigInt),
  };
}

/**
 * @param {ClockGap} gap
 * @returns {unknown}
 */
export function writeGap(gap) {
  return { startNs: String(gap.startNs), endNs: String(gap.endNs), reason: gap.reason };
}

/**
 * @param {any} value
 * @returns {ClockGap}
 */
export function readGap(value) {
  return { startNs: BigInt(value.startNs), endNs: BigInt(value.endNs), reason: value.reason };
}
