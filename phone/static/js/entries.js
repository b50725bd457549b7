/**
 * Ratings and practices wait here, encrypted, until the server has them. Each is sent under an id
 * of its own, so that sending it twice stores it once.
 */

import { OfflineError, ProblemError, SessionEndedError, request, requestJson } from "./api.js";

/**
 * @typedef {import('./storage/database.js').Database} Database
 *
 * @typedef {{pain: number | null, stress: number | null, pleasant: number | null, note: string | null,
 *   pleasant_note: string | null, about: string, zone: string,
 *   prompt_id?: string}} RatingContent
 *
 * @typedef {RatingContent & {id: string, version: number}} Rating
 *
 * @typedef {'rate' | 'correct' | 'withdraw' | 'practise' | 'answer'} EntryKind
 *
 * One thing to send. `subject`: the id of the rating, practice or answers; `version`: of the rating that
 * was seen; `problem`: why the server refused it, in its words; `isChanged`: since it was tried.
 * @typedef {{key: number, kind: EntryKind, subject: string, version: number, content: any,
 *   made: string, attempts: number, problem: string | null, isChanged?: boolean}} Entry
 */

const LOCK = "ebbtide-entries"; // of sending: it may be held for as long as requests take
const ROWS_LOCK = "ebbtide-entry-rows"; // of reading a row and writing it again: for milliseconds
const RECENT_DAYS = 15;
const SEND_MS = 100;
const RETRY_MS = [5_000, 15_000, 60_000, 300_000];

export class EntryQueue extends EventTarget {
  /** @type {Database} */
  #database;
  /** @type {Entry[]} */
  #entries = [];
  /** @type {Rating[]} ratings that the server has, by time */
  #stored = [];
  #failures = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #isClosed = false;

  /** Why nothing is sent now: null, 'offline' or 'consent'. @type {'offline' | 'consent' | null} */
  obstacle = null;

  /** When the stored ratings were last read from the server. @type {string | null} */
  asOf = null;

  /** @param {Database} database */
  constructor(database) {
    super();
    this.#database = database;
  }

  /** Read what waits from the database. */
  async load() {
    await this.#withRows(() => this.#readEntries());
    const cached = await this.#database.get("cache", "ratings");
    this.#stored = cached?.ratings ?? [];
    this.asOf = cached?.asOf ?? null;
    this.#changed();
  }

  /** Send no more. */
  close() {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  /** How many entries the server does not have yet. */
  get waiting() {
    return this.#entries.length;
  }

  /** Entries that the server refused, with its reason. */
  get refused() {
    return this.#entries.filter((entry) => entry.problem !== null);
  }

  /**
   * Ratings as the person made them: those of the server with what waits, oldest first.
   * @returns {(Rating & {waits: boolean, problem: string | null})[]}
   */
  ratings() {
    const found = new Map(
      this.#stored.map((rating) => [
        rating.id,
        { ...rating, waits: false, problem: /** @type {string | null} */ (null) },
      ]),
    );
    for (const entry of this.#entries) {
      if (entry.kind === "withdraw") found.delete(entry.subject);
      else if (entry.kind !== "practise" && entry.kind !== "answer") {
        const version = entry.kind === "rate" ? 1 : entry.version + 1;
        const { problem } = entry;
        found.set(entry.subject, {
          ...entry.content,
          id: entry.subject,
          version,
          waits: true,
          problem,
        });
      }
    }
    return [...found.values()].sort(
      (one, other) => Date.parse(one.about) - Date.parse(other.about),
    );
  }

  /**
   * Keep a new rating. Resolves when it is on the disk.
   * @param {RatingContent} content
   * @returns {Promise<string>} its id
   */
  async rate(content) {
    const id = crypto.randomUUID();
    await this.#withRows(() => this.#add("rate", id, 0, content));
    return id;
  }

  /**
   * Change a rating. One that was never on its way is changed where it waits; any other gets a new
   * version, since the server may have it.
   * @param {string} id
   * @param {number} version the one that was seen
   * @param {RatingContent} content
   */
  async correct(id, version, content) {
    await this.#withRows(async () => {
      await this.#readEntries();
      const last = this.#entries.findLast((entry) => entry.subject === id);
      if (last && last.kind !== "withdraw" && isReplaceable(last)) {
        const made = new Date().toISOString();
        const prompt = last.kind === "rate" ? last.content.prompt_id : undefined;
        const kept = prompt ? { ...content, prompt_id: prompt } : content;
        const isChanged = last.attempts > 0;
        await this.#put({ ...last, content: kept, made, problem: null, isChanged });
        this.#soon();
      } else await this.#add("correct", id, version, content);
    });
  }

  /**
   * Delete a rating. One that was never on its way is gone; any other is withdrawn.
   * @param {string} id
   * @param {number} version the one that was seen
   */
  async withdraw(id, version) {
    await this.#withRows(async () => {
      await this.#readEntries();
      const own = this.#entries.filter((entry) => entry.subject === id);
      const isUnsent = own.some((entry) => entry.kind === "rate" && isReplaceable(entry));
      if (isUnsent) for (const entry of own) await this.#remove(entry);
      else await this.#add("withdraw", id, version, null);
    });
  }

  /**
   * Keep a practice. Resolves when it is on the disk.
   * @param {any} content as `PUT /v1/practices/{id}` takes it
   */
  async practise(content) {
    await this.#withRows(() => this.#add("practise", crypto.randomUUID(), 0, content));
  }

  /**
   * Keep answers to a questionnaire. Resolves when they are on the disk.
   * @param {any} content as `POST /v1/questionnaires/responses` takes it
   */
  async answer(content) {
    await this.#withRows(() => this.#add("answer", crypto.randomUUID(), 0, content));
  }

  /**
   * Let go of an entry that the server refused.
   * @param {Entry} entry
   */
  async discard(entry) {
    await this.#withRows(() => this.#remove(entry));
  }

  /**
   * Whether answers to a questionnaire wait here.
   * @param {string} questionnaire
   */
  isAnswered(questionnaire) {
    return this.#entries.some(
      ({ kind, content, problem }) =>
        kind === "answer" && content.questionnaire === questionnaire && problem === null,
    );
  }

  /**
   * Send what waits, oldest first, then read the last two weeks anew.
   * @returns {Promise<number>} how many still wait
   */
  async send() {
    clearTimeout(this.#timer);
    if (this.#isClosed) return this.waiting;
    await navigator.locks.request(LOCK, async () => {
      try {
        await this.#sendAll();
        await this.#readStored();
        this.#failures = 0;
        this.obstacle = null;
      } catch (error) {
        if (error instanceof SessionEndedError || this.#isClosed) return;
        if (error instanceof ProblemError && error.kind === "consent") this.obstacle = "consent";
        else if (error instanceof OfflineError) this.#later("offline");
        else if (error instanceof ProblemError) this.#later(this.obstacle);
        else throw error;
      }
    });
    this.#changed();
    return this.waiting;
  }

  /**
   * Read rows, or change them, while nobody else does: sending, what a person enters, other tabs.
   * @template T
   * @param {() => Promise<T>} change
   * @returns {Promise<T>}
   */
  async #withRows(change) {
    return /** @type {Promise<T>} */ (navigator.locks.request(ROWS_LOCK, change));
  }

  async #readEntries() {
    const rows = await this.#database.all("entries");
    this.#entries = rows.map((/** @type {{value: Entry}} */ row) => row.value);
  }

  async #sendAll() {
    await this.#withRows(() => this.#readEntries()); // another tab may have sent some
    const skipped = new Set();
    for (const { key, subject } of [...this.#entries]) {
      if (skipped.has(subject)) continue;
      const entry = await this.#begin(key);
      if (!entry) continue;
      const tried = { ...entry, problem: null };
      try {
        const rating = await this.#sendOne(tried);
        if (rating) await this.#store(rating);
        // Removed last: a crash before sends it again, which the server takes as the same.
        await this.#withRows(() => this.#remove(tried));
      } catch (error) {
        const isRefused =
          error instanceof ProblemError && error.kind !== "consent" && error.status !== 429;
        const problem = isRefused ? error.message : entry.problem;
        if (problem !== null && !this.#isClosed) {
          await this.#withRows(() => this.#put({ ...tried, problem }));
        }
        if (!isRefused) throw error;
        skipped.add(subject); // what follows builds on it
      }
    }
  }

  /**
   * Note that an entry is on its way, as it is now: until it was answered, a change of it is an
   * entry of its own. Null where it was deleted since this round began.
   * @param {number} key
   * @returns {Promise<Entry | null>} with the problem of the attempt before
   */
  async #begin(key) {
    return this.#withRows(async () => {
      /** @type {Entry | undefined} */
      const entry = await this.#database.get("entries", key);
      if (!entry) {
        this.#entries = this.#entries.filter((item) => item.key !== key);
        return null;
      }
      const begun = { ...entry, attempts: entry.attempts + 1 };
      await this.#put({ ...begun, problem: null });
      return begun;
    });
  }

  /**
   * @param {Entry} entry
   * @returns {Promise<any>} the rating as it is stored
   */
  async #sendOne(entry) {
    const path = `/v1/ratings/${entry.subject}`;
    try {
      if (entry.kind === "practise") {
        await request("PUT", `/v1/practices/${entry.subject}`, { json: entry.content });
        return null;
      }
      if (entry.kind === "answer") {
        const json = { ...entry.content, id: entry.subject };
        await request("POST", "/v1/questionnaires/responses", { json });
        return null;
      }
      if (entry.kind === "rate") {
        const json = { ...entry.content, id: entry.subject };
        return await requestJson("POST", "/v1/ratings", { json });
      }
      if (entry.kind === "correct") {
        const json = { ...entry.content, version: entry.version };
        return await requestJson("PUT", path, { json });
      }
      return await requestJson("DELETE", `${path}?version=${entry.version}`);
    } catch (error) {
      if (!(error instanceof ProblemError) || error.status !== 409) throw error;
      if (entry.kind === "practise" || entry.kind === "answer") throw error;
      return this.#resolve(entry, path);
    }
  }

  /**
   * The rating was changed elsewhere meanwhile: what was said last holds. No version is lost, the
   * server keeps them all.
   * @param {Entry} entry
   * @param {string} path
   */
  async #resolve(entry, path) {
    const stored = await requestJson("GET", path);
    const isSame = entry.kind === "rate" && !entry.isChanged;
    if (isSame || Date.parse(stored.entered) > Date.parse(entry.made)) return stored;
    if (entry.kind === "withdraw") {
      return requestJson("DELETE", `${path}?version=${stored.version}`);
    }
    const { prompt_id: _, ...content } = entry.content; // a correction stays what it answered
    return requestJson("PUT", path, { json: { ...content, version: stored.version } });
  }

  async #readStored() {
    const end = new Date(Date.now() + 60_000);
    const start = new Date(end.getTime() - RECENT_DAYS * 86_400_000);
    const query = new URLSearchParams({ start: start.toISOString(), end: end.toISOString() });
    query.set("limit", "1000");
    const page = await requestJson("GET", `/v1/ratings?${query}`);
    this.#stored = page.ratings.filter(isShown).map(toRating);
    this.asOf = new Date().toISOString();
    await this.#saveStored();
  }

  /** @param {any} rating */
  async #store(rating) {
    this.#stored = this.#stored.filter((item) => item.id !== rating.id);
    if (isShown(rating)) this.#stored.push(toRating(rating));
    await this.#saveStored();
  }

  async #saveStored() {
    if (this.#isClosed) return;
    await this.#database.put("cache", "ratings", { ratings: this.#stored, asOf: this.asOf });
  }

  /**
   * @param {EntryKind} kind
   * @param {string} subject
   * @param {number} version
   * @param {any} content
   */
  async #add(kind, subject, version, content) {
    const made = new Date().toISOString();
    // Of two tabs, the last key of each may be the other's: the clock keeps them apart and in order.
    const last = this.#entries.at(-1)?.key ?? 0;
    const key = Math.max(last + 1, 1000 * Date.now() + Math.floor(1000 * Math.random()));
    await this.#put({ key, kind, subject, version, content, made, attempts: 0, problem: null });
    this.#soon();
  }

  /** @param {Entry} entry */
  async #put(entry) {
    if (this.#isClosed) throw new SessionEndedError("revoked");
    await this.#database.put("entries", entry.key, entry);
    const place = this.#entries.findIndex((item) => item.key === entry.key);
    if (place < 0) this.#entries.push(entry);
    else this.#entries[place] = entry;
    this.#changed();
  }

  /** @param {Entry} entry */
  async #remove(entry) {
    await this.#database.delete("entries", entry.key);
    this.#entries = this.#entries.filter((item) => item.key !== entry.key);
    this.#changed();
  }

  /** Send in the background, once it was shown as kept: the person does not wait for the net. */
  #soon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.send(), SEND_MS);
  }

  /** @param {'offline' | 'consent' | null} obstacle */
  #later(obstacle) {
    this.obstacle = obstacle;
    const wait = RETRY_MS[Math.min(this.#failures, RETRY_MS.length - 1)];
    this.#failures += 1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.send(), wait);
  }

  #changed() {
    this.dispatchEvent(new Event("changed"));
  }
}

/**
 * Whether the server cannot have it: never sent, or refused and not on its way again.
 * @param {Entry} entry
 */
function isReplaceable(entry) {
  return entry.attempts === 0 || entry.problem !== null;
}

/** @param {any} rating */
function isShown(rating) {
  return !rating.withdrawn;
}

/**
 * @param {any} rating as the API gives it
 * @returns {Rating}
 */
function toRating(rating) {
  const { id, version, pain, stress, pleasant, note, pleasant_note, about, zone } = rating;
  return { id, version, pain, stress, pleasant, note, pleasant_note, about, zone };
}
