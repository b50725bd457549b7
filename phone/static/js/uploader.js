// Outbox to server, as ebbtide/upload_schema.py says: in order, repeated until acknowledged. The
// rules of ingest/outbox/uploader.py.

import { Outbox } from "./storage/outbox.js";
import { followRemoval, followWithdrawal, offerAgain } from "./storage/store_comparison.js";

/** @typedef {import("./storage/database.js").Database} Database */
/** @typedef {import("./storage/rows.js").StreamState} StreamState */
/**
 * As `request` of api.js.
 *
 * @typedef {(method: string, path: string, options?: {body?: string, headers?: Record<string,
 *   string>, signal?: AbortSignal}) => Promise<Response>} RequestFunction
 */
/** @typedef {{id: string, counter: number, covered: number}} Generation */

const BATCH = 500; // notifications
const EVERY_MS = 5_000;
const MIN_WAIT_MS = 1_000;
const MAX_WAIT_MS = 60_000;
const MAX_RETRY_AFTER_MS = 120_000;
const COMPARE_MS = 60_000; // a store that was set back is seen within two minutes
const CONSENT_MS = 20_000;
// Of one stream, while the others can be uploaded: what it holds, and not who asks, is refused.
const OF_ONE_STREAM = [404, 409, 410, 413, 422];

/**
 * What keeps the uploads from going up: "offline", "consent", "refused", "signed-out", or null.
 *
 * @typedef {"offline" | "consent" | "refused" | "signed-out" | null} UploadProblem
 */

/** Uploads what waits. Event `progress` after every pass. */
export class Uploader extends EventTarget {
  #database;
  #outbox;
  #request;
  #hasCompared = false;
  #compareAt = 0;
  /** @type {Generation | null} */
  #lastGeneration = null;
  /** @type {string | null} */
  #followedWithdrawal = null;
  /** @type {AbortController | null} */
  #running = null;
  /** @type {(() => void) | null} */
  #wake = null;
  /** @type {UploadProblem} */
  problem = null;

  /**
   * @param {Database} database
   * @param {RequestFunction} request
   * @param {Outbox} [outbox]
   */
  constructor(database, request, outbox = new Outbox(database)) {
    super();
    this.#database = database;
    this.#request = request;
    this.#outbox = outbox;
  }

  /** Upload until `stop`, with waits that double up to a minute while it fails. */
  async run() {
    if (this.#running) return;
    const running = new AbortController();
    this.#running = running;
    const wakeUp = () => this.wakeUp();
    addEventListener("online", wakeUp);
    let wait = MIN_WAIT_MS;
    while (!running.signal.aborted) {
      let pause = EVERY_MS;
      try {
        await this.uploadWaiting(running.signal);
        this.problem = null;
        wait = MIN_WAIT_MS;
      } catch (error) {
        if (running.signal.aborted) break;
        this.problem = problemOf(error);
        const retryAfterS = Number(/** @type {any} */ (error).retryAfterS) || 0;
        pause = Math.min(Math.max(wait, retryAfterS * 1000), MAX_RETRY_AFTER_MS);
        if (this.problem === "consent") pause = CONSENT_MS;
        wait = Math.min(wait * 2, MAX_WAIT_MS);
      }
      this.dispatchEvent(new Event("progress"));
      await this.#sleep(pause, running.signal);
    }
    removeEventListener("online", wakeUp);
  }

  /** Upload now and not only after the wait. */
  wakeUp() {
    this.#wake?.();
  }

  /** End `run`. */
  stop() {
    this.#running?.abort();
    this.#running = null;
    this.wakeUp();
  }

  /**
   * Upload all that waits now, a batch of each stream in turn; one that is refused does not hold up
   * the others. Only one tab does this at a time.
   *
   * @param {AbortSignal} [signal]
   * @returns {Promise<void>}
   */
  async uploadWaiting(signal) {
    const name = `ebbtide-upload-${this.#database.personId}`;
    await navigator.locks.request(name, async () => {
      await this.#compare(signal);
      /** @type {unknown} */
      let refused = null;
      let busy = (await this.#outbox.states()).filter(({ isRemoved }) => !isRemoved);
      while (busy.length) {
        /** @type {StreamState[]} */
        const more = [];
        for (const state of busy) {
          try {
            const after = await this.#uploadBatch(state, signal);
            if (after) more.push(after);
          } catch (error) {
            const own = await this.#follow(error, state.id);
            refused = refused ?? own;
          }
        }
        busy = more;
      }
      if (this.#lastGeneration) await this.#outbox.prune(this.#lastGeneration.covered);
      if (refused) throw refused;
    });
  }

  /**
   * Follow a removal; give back a refusal of this stream alone; throw what concerns all.
   *
   * @param {unknown} error
   * @param {string} streamId
   * @returns {Promise<unknown>}
   */
  async #follow(error, streamId) {
    const problem = asProblem(error);
    if (!problem || !OF_ONE_STREAM.includes(problem.status)) throw error;
    if (problem.status !== 410) return error;
    if (problem.kind !== "removed") throw error;
    const removedNs = problem.headers?.get("Ebbtide-Removed-Ns") ?? "0";
    await followRemoval(this.#database, this.#outbox, streamId, BigInt(removedNs));
    return null;
  }

  /**
   * One batch of a stream; its state afterwards where there may be more.
   *
   * @param {StreamState} state
   * @param {AbortSignal} [signal]
   * @returns {Promise<StreamState | null>}
   */
  async #uploadBatch(state, signal) {
    const { notifications, gaps } = await this.#outbox.waiting(state, BATCH);
    if (!notifications.length) return null;
    const first = notifications[0].sequence;
    const last = notifications[notifications.length - 1].sequence;
    const body = writeBatch(state, notifications, gaps);
    let answer;
    try {
      answer = await this.#request("POST", `/v1/streams/${state.id}/notifications`, {
        body,
        headers: { "Content-Type": "application/json" },
        signal,
      });
    } catch (error) {
      if (!state.isAnnounced || asProblem(error)?.status !== 404) throw error;
      await this.#compareNow(signal);
      const again = await this.#outbox.find(state.id);
      if (!again || again.isAnnounced) throw error;
      return again; // the store was set back to before this stream
    }
    const found = /** @type {{acknowledged: number, generation: Generation | null}} */ (
      await answer.json()
    );
    if (!state.isAnnounced) await this.#outbox.setAnnounced(state.id);
    if (found.generation) this.#noteGeneration(found.generation);
    if (found.acknowledged < first) {
      await this.#compareNow(signal);
      const again = await this.#outbox.find(state.id);
      if (again && again.acknowledged < state.acknowledged) return again;
      throw new RangeError(`the server has only ${found.acknowledged} of ${last} notifications`);
    }
    const counter = found.generation?.counter ?? 0;
    await this.#outbox.acknowledge(state.id, found.acknowledged, counter);
    return notifications.length < BATCH ? null : this.#outbox.find(state.id);
  }

  /**
   * See whether the store was set back, and if so, make what it lacks wait again: at the beginning
   * by all streams, later by its generation.
   *
   * @param {AbortSignal} [signal]
   */
  async #compare(signal) {
    if (performance.now() < this.#compareAt) return;
    const answer = await this.#request("GET", "/v1/generation", { signal });
    const withdrawn = answer.headers.get("Ebbtide-Withdrawn-Ns");
    if (withdrawn && withdrawn !== this.#followedWithdrawal) {
      await followWithdrawal(this.#database, this.#outbox, BigInt(withdrawn));
      this.#followedWithdrawal = withdrawn;
    }
    const now = /** @type {Generation} */ (await answer.json());
    const seen = /** @type {Generation | undefined} */ (
      await this.#database.get("meta", "generation")
    );
    const isAnother = !seen || seen.id !== now.id || now.counter < seen.counter;
    if (!this.#hasCompared || isAnother) {
      await offerAgain(this.#database, this.#outbox, await this.#storedStreams(signal));
      this.#hasCompared = true;
    }
    if (!seen || seen.id !== now.id || seen.counter !== now.counter || seen.covered !== now.covered) {
      await this.#database.put("meta", "generation", now);
    }
    this.#lastGeneration = now;
    this.#compareAt = performance.now() + COMPARE_MS;
  }

  /** @param {AbortSignal} [signal] */
  async #compareNow(signal) {
    this.#hasCompared = false;
    this.#compareAt = 0;
    await this.#compare(signal);
  }

  /** @param {Generation} found */
  #noteGeneration(found) {
    const seen = this.#lastGeneration;
    if (!seen || seen.id !== found.id || found.counter < seen.counter) this.#compareAt = 0;
  }

  /**
   * @param {AbortSignal} [signal]
   * @returns {Promise<Map<string, import("./storage/store_comparison.js").Stored>>}
   */
  async #storedStreams(signal) {
    const answer = await this.#request("GET", "/v1/streams", { signal });
    // Nanoseconds do not fit a number: they are read as text.
    const text = (await answer.text()).replace(/("\w+_ns":\s*)(\d+)/g, '$1"$2"');
    /** @type {{id: string, acknowledged: number, last_beat_ns: string | null}[]} */
    const streams = JSON.parse(text).streams;
    return new Map(
      streams.map(({ id, acknowledged, last_beat_ns: last }) => [
        id,
        { acknowledged, lastNs: last === null ? null : BigInt(last) },
      ]),
    );
  }

  /**
   * @param {number} ms
   * @param {AbortSignal} signal
   */
  async #sleep(ms, signal) {
    if (signal.aborted) return;
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve(undefined);
      };
    });
    this.#wake = null;
  }
}

/**
 * The body of an upload; integers beyond 2^53 are written whole.
 *
 * @param {StreamState} state
 * @param {import("./storage/outbox.js").NumberedNotification[]} notifications
 * @param {import("./storage/outbox.js").NumberedGap[]} gaps
 * @returns {string}
 */
export function writeBatch(state, notifications, gaps) {
  const stream = {
    origin: state.origin,
    source: state.source,
    created_ns: state.createdNs,
    ticks_per_second: state.ticksPerSecond,
  };
  return writeJson({
    ...(state.isAnnounced ? {} : { stream }),
    first: notifications[0].sequence,
    last: notifications[notifications.length - 1].sequence,
    notifications: notifications.map((item) => ({
      sequence: item.sequence,
      received_ns: item.receivedNs,
      heart_rate_bpm: item.heartRateBpm,
      rr_ticks: item.rrTicks,
      beat_times_ns: item.beatTimesNs,
      contact: item.contact,
      energy_kj: item.energyKj,
    })),
    gaps: gaps.map((gap) => ({
      sequence: gap.sequence,
      start_ns: gap.startNs,
      end_ns: gap.endNs,
      reason: gap.reason,
    })),
  });
}

/**
 * @param {unknown} value
 * @returns {string}
 */
function writeJson(value) {
  if (typeof value === "bigint") return String(value);
  if (Array.isArray(value)) return `[${value.map(writeJson).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const fields = Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}:${writeJson(one)}`);
  return `{${fields.join(",")}}`;
}

/**
 * @param {unknown} error
 * @returns {{status: number, kind: string, headers?: Headers} | null}
 */
function asProblem(error) {
  const found = /** @type {any} */ (error);
  return found instanceof Error && found.name === "ProblemError" ? /** @type {any} */ (found) : null;
}

/**
 * @param {unknown} error
 * @returns {UploadProblem}
 */
function problemOf(error) {
  const name = error instanceof Error ? error.name : "";
  if (name === "OfflineError") return "offline";
  if (name === "SessionEndedError" || name === "DatabaseLockedError") return "signed-out";
  const problem = asProblem(error);
  return problem && problem.status === 403 && problem.kind === "consent" ? "consent" : "refused";
}
