// What the phone has recorded and the server has not yet, or might lose: the rules of
// ingest/outbox/outbox.py in IndexedDB.
//
// A notification is durable when `append` returns, with its beat times, so that they are computed
// only once. Sequence numbers have no hole. Rows leave when the server has acknowledged them and a
// backup of its store has them, or they are old. Every change happens under a Web Lock, with the
// row of the stream read within it: several tabs are as safe as one.

import {
  newState,
  putState,
  readGap,
  readNotification,
  readState,
  rowKey,
  sequenceOf,
  writeGap,
  writeNotification,
} from "./rows.js";

/** @typedef {import("./database.js").Database} Database */
/** @typedef {import("./database.js").Change} Change */
/** @typedef {import("../timing/pipeline.js").Notification} Notification */
/** @typedef {import("../timing/beat_clock.js").ClockGap} ClockGap */
/** @typedef {import("./rows.js").StreamState} StreamState */
/** @typedef {{notification: Notification, gap: ClockGap | null}} Entry */
/** @typedef {Notification & {sequence: number}} NumberedNotification */
/** @typedef {ClockGap & {sequence: number}} NumberedGap */

const RUN_MS = 3_600_000;
const KEEP_MS = 7 * 24 * RUN_MS; // what the server has, until a backup of it has it

export class Outbox {
  #database;

  /** @param {Database} database */
  constructor(database) {
    this.#database = database;
  }

  /**
   * Run a change while no other tab makes one.
   *
   * @template T
   * @param {() => Promise<T>} change
   * @returns {Promise<T>}
   */
  async locked(change) {
    const name = `ebbtide-outbox-${this.#database.personId}`;
    return /** @type {Promise<T>} */ (navigator.locks.request(name, change));
  }

  /**
   * Create a stream, or find it again.
   *
   * @param {{id: string, origin: string, source: string, createdNs: bigint,
   *   ticksPerSecond: number}} stream
   * @returns {Promise<StreamState>}
   */
  async openStream(stream) {
    return this.locked(async () => {
      const found = await this.find(stream.id);
      if (found) return found;
      const state = newState(stream);
      await this.#database.putAll([putState(state)]);
      return state;
    });
  }

  /**
   * @param {string} id
   * @returns {Promise<StreamState | null>}
   */
  async find(id) {
    const value = await this.#database.get("streams", id);
    return value === undefined ? null : readState(value);
  }

  /**
   * All streams, oldest first, also removed ones.
   *
   * @returns {Promise<StreamState[]>}
   */
  async states() {
    const rows = await this.#database.all("streams");
    return rows
      .map(({ value }) => readState(value))
      .sort((a, b) => (a.createdNs < b.createdNs ? -1 : a.createdNs > b.createdNs ? 1 : 0));
  }

  /**
   * The newest stream of this source, to continue it after a reload.
   *
   * @param {string} origin
   * @param {string} source
   * @returns {Promise<StreamState | null>}
   */
  async findStream(origin, source) {
    const states = await this.states();
    return (
      states
        .reverse()
        .find((one) => !one.isRemoved && one.origin === origin && one.source === source) ?? null
    );
  }

  /**
   * Write notifications, in order: all of them are on the disk when this returns, or none. Gives
   * the stream (another one, where the person removed it meanwhile) and the numbers given. Throws
   * StorageFullError.
   *
   * @param {string} streamId
   * @param {Entry[]} entries
   * @returns {Promise<{streamId: string, first: number, last: number}>}
   */
  async append(streamId, entries) {
    return this.locked(async () => {
      const state = await this.recordedStream(streamId);
      const first = state.lastSequence + 1;
      /** @type {Change[]} */
      const changes = [];
      for (const { notification, gap } of entries) {
        state.lastSequence += 1;
        for (const time of notification.beatTimesNs) {
          if (state.lastBeatNs !== null && time <= state.lastBeatNs) {
            throw new RangeError(`beat time ${time} is not after ${state.lastBeatNs}`);
          }
          state.lastBeatNs = time;
        }
        const key = rowKey(state.id, state.lastSequence);
        const value = writeNotification(notification);
        changes.push({ store: "notifications", key, value, isNew: true });
        if (gap) changes.push(await this.#putGap(key, gap));
      }
      state.endReason = null;
      await this.#database.putAll([...changes, putState(state)]);
      return { streamId: state.id, first, last: state.lastSequence };
    });
  }

  /**
   * One is there where the beats before it were lost at a restore: it is longer now.
   *
   * @param {string} key
   * @param {ClockGap} gap
   * @returns {Promise<Change>}
   */
  async #putGap(key, gap) {
    const there = await this.#database.get("gaps", key);
    if (!there) return { store: "gaps", key, value: writeGap(gap) };
    const before = readGap(there);
    const endNs = before.endNs > gap.endNs ? before.endNs : gap.endNs;
    return { store: "gaps", key, value: writeGap({ ...before, endNs }) };
  }

  /**
   * The stream itself, or the one that continues it where its person removed it. Within `locked`.
   *
   * @param {string} streamId
   * @returns {Promise<StreamState>}
   */
  async recordedStream(streamId) {
    const state = await this.find(streamId);
    if (!state) throw new RangeError(`no stream ${streamId}`);
    if (!state.isRemoved) return state;
    if (state.successor) return this.recordedStream(state.successor);
    const successor = newState({
      ...state,
      id: crypto.randomUUID(),
      createdNs: (state.lastBeatNs ?? state.createdNs) + 1n,
    });
    await this.#database.putAll([
      putState(successor),
      putState({ ...state, successor: successor.id }),
    ]);
    return successor;
  }

  /**
   * The oldest notifications that were not acknowledged, and the gaps before them.
   *
   * @param {StreamState} state
   * @param {number} limit
   * @returns {Promise<{notifications: NumberedNotification[], gaps: NumberedGap[]}>}
   */
  async waiting(state, limit) {
    const first = state.acknowledged + 1;
    const range = { from: rowKey(state.id, first), to: rowKey(state.id, first + limit - 1) };
    const notifications = await this.#database.all("notifications", range);
    const gaps = await this.#database.all("gaps", range);
    return {
      notifications: notifications.map(({ key, value }) => ({
        sequence: sequenceOf(key),
        ...readNotification(value),
      })),
      gaps: gaps
        .map(({ key, value }) => ({ sequence: sequenceOf(key), ...readGap(value) }))
        .filter(({ sequence }) => sequence < first + notifications.length),
    };
  }

  /** How many notifications the server does not have. */
  async countWaiting() {
    const states = await this.states();
    return states
      .filter(({ isRemoved }) => !isRemoved)
      .reduce((total, one) => total + one.lastSequence - one.acknowledged, 0);
  }

  /**
   * Note that the server has the stream.
   *
   * @param {string} streamId
   */
  async setAnnounced(streamId) {
    await this.#change(streamId, (state) => ({ ...state, isAnnounced: true }));
  }

  /**
   * Note that the recording was ended, and not broken off: the gap that follows has this reason.
   *
   * @param {string} streamId
   * @param {string} reason
   */
  async setEnded(streamId, reason) {
    await this.locked(async () => {
      const state = await this.recordedStream(streamId);
      await this.#database.putAll([putState({ ...state, endReason: reason })]);
    });
  }

  /**
   * Note that the server has everything up to and including `through`. `counter`: of its store's
   * generation then. Throws RangeError when it claims more than was ever written.
   *
   * @param {string} streamId
   * @param {number} through
   * @param {number} counter
   */
  async acknowledge(streamId, through, counter) {
    await this.#change(streamId, (state) => {
      if (through > state.lastSequence) {
        throw new RangeError(`the server has ${through} of ${state.lastSequence} notifications`);
      }
      if (through <= state.acknowledged) return state;
      const runs = [...state.runs];
      const newest = runs[runs.length - 1];
      const now = Date.now();
      const joins =
        newest && newest.counter === counter && now >= newest.atMs && now - newest.atMs < RUN_MS;
      if (joins) runs[runs.length - 1] = { ...newest, through };
      else runs.push({ through, counter, atMs: now });
      return { ...state, acknowledged: through, runs };
    });
  }

  /**
   * Delete acknowledged rows that a backup of the store covers, and those that are too old.
   *
   * @param {number} covered
   * @param {{isAll?: boolean}} [how] `isAll`: all that the server has, where there is no room
   */
  async prune(covered, { isAll = false } = {}) {
    for (const { id, runs } of await this.states()) {
      const oldest = Date.now() - KEEP_MS;
      const gone = runs.filter((run) => isAll || run.counter <= covered || run.atMs <= oldest);
      if (!gone.length) continue;
      await this.locked(async () => {
        const state = await this.find(id);
        if (!state) return;
        const through = Math.min(gone[gone.length - 1].through, state.acknowledged);
        const range = { from: rowKey(id, 0), to: rowKey(id, through), remove: /** @type {const} */ (true) };
        await this.#database.putAll([
          { store: "notifications", ...range },
          { store: "gaps", ...range },
          putState({ ...state, runs: state.runs.filter((run) => run.through > through) }),
        ]);
      });
    }
  }

  /**
   * @param {string} streamId
   * @param {(state: StreamState) => StreamState} change
   */
  async #change(streamId, change) {
    await this.locked(async () => {
      const state = await this.find(streamId);
      if (!state || state.isRemoved) return;
      const changed = change(state);
      if (changed !== state) await this.#database.putAll([putState(changed)]);
    });
  }
}
