// What the recorder tells of its link, its signal, the upload and the room: which notice holds when.

import { CONNECTION_MESSAGES, Conditions } from "./conditions.js";

/** @typedef {import("./conditions.js").Message} Message */
/** @typedef {import("./conditions.js").Values} Values */

const NOTE_MS = 10 * 60_000; // how long a note of something that is over stays
const LOW_HOURS = 12; // of room for a recording
const UPLOAD_MESSAGES = ["recorder.consent", "recorder.refused", "recorder.offline"];

export class RecorderNotices extends Conditions {
  /**
   * The most urgent, with what its text needs; null if there is none.
   *
   * @param {Values} values what every text may name; those of the notice come before them
   * @returns {Message | null}
   */
  say(values) {
    const found = this.first;
    return found ? { key: found.key, values: { ...values, ...found.values } } : null;
  }

  /** Nothing is to be said of the link to the strap any more. */
  clearConnection() {
    this.clear(...CONNECTION_MESSAGES);
  }

  /** A recording is over: nothing of its link and its signal holds. */
  clearRecording() {
    this.clear(...CONNECTION_MESSAGES, "recorder.no_contact", "recorder.no_rr");
  }

  /** The clock was set: it is said for a while. */
  noteClockSet() {
    this.set("recorder.clock_set", {}, NOTE_MS);
  }

  /**
   * A notification came late; without beats there is nothing to say.
   *
   * @param {number} placed its beats that have a time
   * @param {number} held the beats that are in it
   */
  noteLate(placed, held) {
    if (placed) this.set("recorder.late", {}, NOTE_MS);
    else if (held) this.set("recorder.late_unclear", {}, NOTE_MS);
  }

  /**
   * @param {{hasContact: boolean | null, isDistrusted: boolean, areBeatsMissing: boolean}} signal
   *   `isDistrusted`: the strap's ticks do not agree with the clock
   */
  noteSignal({ hasContact, isDistrusted, areBeatsMissing }) {
    this.#hold("recorder.no_contact", hasContact === false);
    this.#hold("recorder.off_the_clock", isDistrusted);
    this.#hold("recorder.no_rr", areBeatsMissing && hasContact !== false);
  }

  /** @param {import("./uploader.js").Uploader["problem"]} problem */
  noteUpload(problem) {
    this.clear(...UPLOAD_MESSAGES);
    if (problem === "signed-out") this.set("recorder.signed_out");
    else if (problem) this.set(`recorder.${problem}`);
    else this.clear("recorder.signed_out");
  }

  /** @param {number | null} hours that fit; null where the browser does not say */
  noteRoom(hours) {
    if (hours !== null && hours < LOW_HOURS) {
      this.set("recorder.storage_low", { hours: Math.floor(hours) });
    } else {
      this.clear("recorder.storage_low");
    }
  }

  /**
   * @param {string} key
   * @param {boolean} is
   */
  #hold(key, is) {
    if (is) this.set(key);
    else this.clear(key);
  }
}
