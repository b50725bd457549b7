// What a person should know about the recording, the most urgent first.

/** Of the link to the strap: of these one holds at a time. */
export const CONNECTION_MESSAGES = [
  "recorder.permission",
  "recorder.adapter_off",
  "recorder.no_heart_rate",
  "recorder.not_found",
  "recorder.silent",
  "recorder.link_lost",
  "recorder.nothing_chosen",
  "recorder.needs_choice",
  "recorder.connecting",
  "recorder.pulse_begins",
];

// In this order: what costs beats now, what stops recording, what may soon, what only explains.
const ORDER = [
  "recorder.beats_lost",
  "recorder.storage_full",
  "recorder.signed_out",
  "recorder.no_bluetooth",
  "recorder.not_secure",
  "recorder.other_tab",
  ...CONNECTION_MESSAGES,
  "recorder.no_contact",
  "recorder.off_the_clock",
  "recorder.no_rr",
  "recorder.late_unclear",
  "recorder.late",
  "recorder.storage_low",
  "recorder.clock_set",
  "recorder.consent",
  "recorder.refused",
  "recorder.offline",
];

/** @typedef {Record<string, string | number>} Values */
/** @typedef {{key: string, values: Values}} Message */

export class Conditions {
  /** @type {Map<string, {values: Values, until: number}>} */
  #present = new Map();

  /**
   * Note that something is so, for a while or until `clear`.
   *
   * @param {string} key
   * @param {Values} [values]
   * @param {number} [forMs]
   */
  set(key, values = {}, forMs = Infinity) {
    this.#present.set(key, { values, until: performance.now() + forMs });
  }

  /** @param {...string} keys */
  clear(...keys) {
    for (const key of keys) this.#present.delete(key);
  }

  /** @returns {Message | null} */
  get first() {
    for (const key of ORDER) {
      const found = this.#present.get(key);
      if (found && found.until > performance.now()) return { key, values: found.values };
    }
    return null;
  }
}
