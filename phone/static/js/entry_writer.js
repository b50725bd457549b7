// Writes entries to the outbox in order, those that have gathered meanwhile in one transaction.
// While there is no room, or the database is locked, they stay in memory, and that is told.

import { StorageFullError } from "./storage/database.js";

/** @typedef {import("./storage/outbox.js").Entry} Entry */
/** @typedef {import("./storage/outbox.js").Outbox} Outbox */
/**
 * The stream that entries belong to; `isOpen` once the outbox has it. `isMoved`: it goes on under
 * another id than it began with.
 *
 * @typedef {{id: string, origin: string, source: string, createdNs: bigint,
 *   ticksPerSecond: number, isOpen: boolean, isMoved?: boolean}} StreamHead
 */

// Hours of notifications that may wait in memory while there is no room, then it is a gap.
export const MAX_QUEUED = 30_000;
const MAX_BATCH = 500;
const RETRY_MS = 2_000;

/** Event `durable` (detail: streamId, first, last, notifications): these are on the disk now. */
export class EntryWriter extends EventTarget {
  #outbox;
  #conditions;
  #onChange;
  /** @type {{stream: StreamHead, entry: Entry}[]} */
  #queue = [];
  /** @type {Promise<void> | null} */
  #writing = null;
  #lost = 0;
  #isClosed = false;

  /**
   * @param {Outbox} outbox
   * @param {import("./conditions.js").Conditions} conditions
   * @param {() => void} onChange
   */
  constructor(outbox, conditions, onChange) {
    super();
    this.#outbox = outbox;
    this.#conditions = conditions;
    this.#onChange = onChange;
  }

  /** Notifications that are only in memory. */
  get queued() {
    return this.#queue.length;
  }

  /** Whether there is no place for more. */
  get isOverfull() {
    return this.#queue.length >= MAX_QUEUED;
  }

  /**
   * Note a notification for which there is no place; whether it is the first.
   *
   * @returns {boolean}
   */
  noteLost() {
    this.#lost += 1;
    this.#conditions.set("recorder.beats_lost", { lost: this.#lost });
    this.#onChange();
    return this.#lost === 1;
  }

  /**
   * @param {StreamHead} stream
   * @param {Entry} entry
   */
  add(stream, entry) {
    this.#queue.push({ stream, entry });
  }

  /** Begin to write what waits, unless that goes on already. */
  write() {
    if (this.#writing || !this.#queue.length) return;
    this.#writing = this.#writeAll().finally(() => {
      this.#writing = null;
    });
  }

  /** Write what waits, now and not only after the wait; until nothing waits or it fails again. */
  async flush() {
    this.#isHeldUp = false;
    this.#wake?.();
    this.write();
    while (this.#writing && !this.#isHeldUp) await Promise.race([this.#writing, pause(100)]);
  }

  /**
   * Write the rest, and note why the recording was ended. What cannot be written now stays in memory
   * and is tried on.
   *
   * @param {StreamHead | null} stream
   * @param {string} reason
   */
  async finish(stream, reason) {
    await this.flush();
    if (!stream?.isOpen) return;
    try {
      await this.#outbox.setEnded(stream.id, reason);
    } catch {
      // Locked or full: the gap will say "link lost".
    }
  }

  /** Try no more. */
  close() {
    this.#isClosed = true;
  }

  #isHeldUp = false;
  /** @type {(() => void) | null} */
  #wake = null;

  async #writeAll() {
    while (this.#queue.length && !this.#isClosed) {
      const { stream } = this.#queue[0];
      const other = this.#queue.findIndex((item) => item.stream !== stream);
      const run = this.#queue.slice(0, Math.min(other < 0 ? Infinity : other, MAX_BATCH));
      try {
        if (!stream.isOpen) await this.#outbox.openStream(stream);
        stream.isOpen = true;
        const written = await this.#outbox.append(
          stream.id,
          run.map(({ entry }) => entry),
        );
        stream.id = written.streamId;
        this.#queue.splice(0, run.length);
        this.#isHeldUp = false;
        this.#lost = 0;
        this.#conditions.clear("recorder.storage_full", "recorder.signed_out");
        const notifications = run.map(({ entry }) => entry.notification);
        this.dispatchEvent(new CustomEvent("durable", { detail: { ...written, notifications } }));
      } catch (error) {
        if (error instanceof RangeError && !stream.isMoved) {
          // Another tab went on with the stream meanwhile, or it is gone with its key.
          const first = run[0].entry;
          stream.isMoved = true;
          stream.id = crypto.randomUUID();
          stream.isOpen = false;
          stream.createdNs = first.notification.receivedNs;
          first.gap = null;
        } else await this.#wait(error);
      }
    }
  }

  /** @param {unknown} error */
  async #wait(error) {
    const isFull = error instanceof StorageFullError;
    if (isFull && !this.#isHeldUp) {
      try {
        // What the server has is here only for a store that is set back.
        await this.#outbox.prune(0, { isAll: true });
      } catch {
        // There is no room even for that.
      }
    }
    this.#isHeldUp = true;
    const name = error instanceof Error || error instanceof DOMException ? error.name : "";
    const isLocked = name === "DatabaseLockedError" || name === "InvalidStateError";
    if (!isFull && !isLocked) console.error(error);
    this.#conditions.set(isLocked ? "recorder.signed_out" : "recorder.storage_full");
    this.#onChange();
    const woken = new Promise((resolve) => {
      this.#wake = () => resolve(null);
    });
    await Promise.race([pause(RETRY_MS), woken]);
    this.#wake = null;
  }
}

/** @param {number} ms */
function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
