/** Texts in the reader's language, and numbers and times as they are written there. */

import german from "./locale/de.js";
import english from "./locale/en.js";
import questionsEnglish from "./locale/questions.en.js";
import recorderEnglish from "./locale/recorder.en.js";
import remindersEnglish from "./locale/reminders.en.js";

/** @typedef {Record<string, string | readonly string[]>} Texts */

// Another language is one more file in locale/, imported and named here and in index.html.
/** @type {Record<string, Texts>} */
const LOCALES = {
  en: { ...english, ...questionsEnglish, ...recorderEnglish, ...remindersEnglish },
  de: german,
};

/**
 * What writes numbers and times, made once: to make one costs more than all that it then writes.
 * @type {Map<string, any>}
 */
const formatters = new Map();

/**
 * @template T
 * @param {new (tag: string, options?: any) => T} Kind
 * @param {string} tag
 * @param {object} [options]
 * @returns {T}
 */
function formatter(Kind, tag, options = {}) {
  const key = Kind.name + JSON.stringify(options);
  const made = formatters.get(key) ?? new Kind(tag, options);
  formatters.set(key, made);
  return made;
}

/** @param {readonly string[]} wanted */
function chooseLanguage(wanted) {
  for (const tag of wanted) {
    const language = tag.split("-")[0];
    if (language in LOCALES) return { language, tag };
  }
  return { language: "en", tag: "en-GB" };
}

const { language, tag } = chooseLanguage(navigator.languages ?? [navigator.language]);
const texts = LOCALES[language];
const TIME = { hour: "numeric", minute: "2-digit" };
const DAY = { weekday: "short", day: "numeric", month: "short" };

/** The language of the texts. */
export const LANGUAGE = language;

/**
 * Return a text, with `{name}` replaced by the value of that name.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 * @returns {string}
 */
export function t(key, values = {}) {
  const text = texts[key] ?? LOCALES.en[key];
  if (typeof text !== "string") throw new Error(`There is no text ${key}.`);
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/**
 * Return a list of texts.
 * @param {string} key
 * @returns {readonly string[]}
 */
export function list(key) {
  const text = texts[key] ?? LOCALES.en[key];
  if (!Array.isArray(text)) throw new Error(`There is no list of texts ${key}.`);
  return text;
}

/**
 * Return the text for a number of things: the keys `KEY.one` and `KEY.other`, and others that the
 * language has.
 * @param {string} key
 * @param {number} number
 * @param {Record<string, string | number>} [values]
 */
export function count(key, number, values = {}) {
  const form = formatter(Intl.PluralRules, language).select(number);
  const name = `${key}.${form}` in texts ? `${key}.${form}` : `${key}.other`;
  return t(name, { ...values, number: formatNumber(number) });
}

/**
 * @param {number} value
 * @param {number} [digits]
 */
export function formatNumber(value, digits = 0) {
  return formatter(Intl.NumberFormat, tag, { maximumFractionDigits: digits }).format(value);
}

/** @param {Date} moment */
export function formatTime(moment) {
  return formatter(Intl.DateTimeFormat, tag, TIME).format(moment);
}

/** @param {Date} moment */
export function formatDay(moment) {
  return formatter(Intl.DateTimeFormat, tag, DAY).format(moment);
}

/**
 * Today: the time. Another day: day and time.
 * @param {Date} moment
 */
export function formatMoment(moment) {
  const time = formatTime(moment);
  return isSameDay(moment, new Date()) ? time : `${formatDay(moment)}, ${time}`;
}

/**
 * @param {Date} one
 * @param {Date} other
 */
export function isSameDay(one, other) {
  return one.toDateString() === other.toDateString();
}
