/**
 * What views get, and what they share.
 *
 * @typedef {import('../storage/database.js').Database} Database
 * @typedef {import('../entries.js').EntryQueue} EntryQueue
 * @typedef {import('../recorder.js').PhoneRecorder} PhoneRecorder
 * @typedef {import('../session.js').Session} Session
 *
 * @typedef {{session: Session, database: Database, entries: EntryQueue, recorder: PhoneRecorder,
 *   version: string | null}} App
 *
 * A view fills `place`. `signal` aborts when it is left; `argument` is what follows its name in
 * the address.
 * @typedef {(app: App, place: HTMLElement, signal: AbortSignal, argument: string) => void | Promise<void>} View
 */

import { element } from "../dom.js";
import { t } from "../i18n.js";

/**
 * Create a link to one of the pages. They open beside the app, so that nothing here is interrupted.
 * @param {string} slug
 * @param {string} words
 * @param {Record<string, any>} [attributes]
 */
export function pageLink(slug, words, attributes = {}) {
  return element(
    "a",
    { href: `/${slug}`, target: "_blank", rel: "noopener", ...attributes },
    words,
  );
}

/** Create a link that leads back. @param {string} hash @param {string} words */
export function backLink(hash, words = t("practise.back")) {
  return element("a", { href: hash, class: "back" }, words);
}

/**
 * The mean heart rate of the last beats of a strap that records now; null where there is none.
 * @param {PhoneRecorder} recorder
 * @returns {number | null}
 */
export function readHeartRate(recorder) {
  if (recorder.state !== "recording") return null;
  const rate = recorder.heartRate;
  return rate === null || rate === undefined || rate <= 0 ? null : Math.round(rate);
}

/**
 * Whether a recording is under way, also while it looks for its strap.
 * @param {PhoneRecorder} recorder
 */
export function isRecording(recorder) {
  return recorder.state !== "idle" && recorder.state !== "blocked";
}
