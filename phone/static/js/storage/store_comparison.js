// Changes of the outbox that the server's store is the reason of: set back, removed. The rules of
// ingest/outbox/comparison.py.

import { SECOND, GapReason } from "../timing/units.js";
import {
  newState,
  putState,
  readNotification,
  rowKey,
  sequenceOf,
  writeGap,
  writeNotification,
} from "./rows.js";

/** @typedef {import("./database.js").Database} Database */
/** @typedef {import("./database.js").Change} Change */
/** @typedef {import("./outbox.js").Outbox} Outbox */
/** @typedef {import("./rows.js").StreamState} StreamState */
/** @typedef {{acknowledged: number, lastNs: bigint | null}} Stored what the server has of a stream */

/**
 * Make everything wait again that the server had and has no more; how many streams that are.
 *
 * Where rows are held no more, notifications without beats take their numbers, and a gap says why.
 *
 * @param {Database} database
 * @param {Outbox} outbox
 * @param {Map<string, Stored>} stored
 * @returns {Promise<number>}
 */
export async function offerAgain(database, outbox, stored) {
  return outbox.locked(async () => {
    let changed = 0;
    for (const state of await outbox.states()) {
      if (state.isRemoved || (!state.acknowledged && !state.isAnnounced)) continue;
      const there = stored.get(state.id);
      if (there && there.acknowledged >= state.acknowledged) continue;
      await rewind(database, state, there ?? null);
      changed += 1;
    }
    return changed;
  });
}

/**
 * @param {Database} database
 * @param {StreamState} state
 * @param {Stored | null} there
 */
async function rewind(database, state, there) {
  const has = there ? there.acknowledged : 0;
  const startNs = there?.lastNs ?? state.createdNs;
  const held = await database.all("notifications", {
    from: rowKey(state.id, has + 1),
    to: rowKey(state.id, state.lastSequence),
    limit: 1,
  });
  const first = held.length ? sequenceOf(held[0].key) : state.lastSequence + 1;
  /** @type {Change[]} */
  const changes = [];
  for (let sequence = has + 1; sequence < first; sequence += 1) {
    const key = rowKey(state.id, sequence);
    changes.push({ store: "notifications", key, value: writeNotification(emptyAt(startNs)) });
    changes.push({ store: "gaps", key, remove: true });
  }
  if (changes.length && held.length) {
    const { receivedNs, rrTicks, beatTimesNs } = readNotification(held[0].value);
    const begin = beatTimesNs.length
      ? beatTimesNs[0] - (BigInt(rrTicks[0]) * SECOND) / BigInt(state.ticksPerSecond)
      : receivedNs;
    changes.push(lostGap(state, first, startNs, begin > startNs ? begin : startNs));
  } else if (changes.length) {
    const last = state.lastBeatNs ?? startNs;
    changes.push(lostGap(state, state.lastSequence, startNs, last > startNs ? last : startNs));
    // The interval of the next beat begins at one that is lost.
    changes.push(lostGap(state, state.lastSequence + 1, last, last));
  }
  const runs = state.runs
    .filter(({ through }) => through <= has)
    .concat(state.runs.filter(({ through }) => through > has).slice(0, has ? 1 : 0))
    .map((run) => ({ ...run, through: Math.min(run.through, has) }));
  changes.push(putState({ ...state, acknowledged: has, isAnnounced: there !== null, runs }));
  await database.putAll(changes);
}

/**
 * @param {bigint} receivedNs
 * @returns {import("../timing/pipeline.js").Notification}
 */
function emptyAt(receivedNs) {
  const nothing = { contact: null, energyKj: null, heartRateBpm: 0 };
  return { receivedNs, rrTicks: [], beatTimesNs: [], ...nothing };
}

/**
 * @param {StreamState} state
 * @param {number} sequence
 * @param {bigint} startNs
 * @param {bigint} endNs
 * @returns {Change}
 */
function lostGap(state, sequence, startNs, endNs) {
  const value = writeGap({ startNs, endNs, reason: GapReason.LOST_AT_A_RESTORE });
  return { store: "gaps", key: rowKey(state.id, sequence), value };
}

/**
 * Delete a stream that the person removed from the store, and never send it again. What was
 * recorded after that moment is another recording: it becomes a stream of its own, and so does what
 * is still to be appended to this one.
 *
 * @param {Database} database
 * @param {Outbox} outbox
 * @param {string} streamId
 * @param {bigint} removedNs
 */
export async function followRemoval(database, outbox, streamId, removedNs) {
  await outbox.locked(async () => {
    const state = await outbox.find(streamId);
    if (!state || state.isRemoved) return;
    const all = { from: rowKey(streamId, 0), to: rowKey(streamId, 9_999_999_999) };
    const rows = await database.all("notifications", all);
    const later = rows.filter(({ value }) => readNotification(value).receivedNs > removedNs);
    const gaps = new Map((await database.all("gaps", all)).map(({ key, value }) => [key, value]));
    /** @type {Change[]} */
    const changes = [
      { store: "notifications", ...all, remove: true },
      { store: "gaps", ...all, remove: true },
    ];
    let successor = state.successor;
    if (later.length) {
      const moved = newState({
        ...state,
        id: crypto.randomUUID(),
        createdNs: readNotification(later[0].value).receivedNs,
      });
      successor = moved.id;
      moved.lastSequence = later.length;
      moved.lastBeatNs = state.lastBeatNs;
      moved.endReason = state.endReason;
      later.forEach(({ key, value }, index) => {
        const target = rowKey(moved.id, index + 1);
        changes.push({ store: "notifications", key: target, value });
        const gap = gaps.get(key);
        if (gap && index) changes.push({ store: "gaps", key: target, value: gap });
      });
      changes.push(putState(moved));
    }
    const acknowledged = state.lastSequence;
    changes.push(putState({ ...state, isRemoved: true, successor, acknowledged, runs: [] }));
    await database.putAll(changes);
  });
}

/**
 * Delete what was recorded before the person took back consent to keeping, as the server has erased
 * it. What came later waits on.
 *
 * @param {Database} database
 * @param {Outbox} outbox
 * @param {bigint} withdrawnNs
 */
export async function followWithdrawal(database, outbox, withdrawnNs) {
  for (const { id, createdNs, isRemoved } of await outbox.states()) {
    if (!isRemoved && createdNs <= withdrawnNs) {
      await followRemoval(database, outbox, id, withdrawnNs);
    }
  }
}
