/** The questionnaires that are due, on the phone without a net too. */

import { fetchAnswer, findAnswer } from "./answers.js";

const DUE = "/v1/questionnaires/due";

/** When each questionnaire was taken off what is due, on the clock of performance.now(). */
const forgotten = new Map();
const DEFINITIONS = "/v1/questionnaires";
const SECONDS_A_QUESTION = 10; // rounded up to minutes, for a person who reads with care

/**
 * @typedef {{value: number, text: Record<string, string>}} Option
 * @typedef {{id: string, text: Record<string, string>, options: Option[]}} Item
 * @typedef {{id: string, version: number, short_name: string,
 *   instruction: Record<string, string>, note: Record<string, string>, options: Option[],
 *   items: Item[], concerns: {item: string, at_least: number}[]}} Questionnaire
 * @typedef {{questionnaire: Questionnaire, occasion: string, closes: string | null}} Due
 * @typedef {{due: Due[], help: string[]}} Questions
 * @typedef {import('./storage/database.js').Database} Database
 * @typedef {import('./entries.js').EntryQueue} EntryQueue
 */

/**
 * Find what this phone has: what is due, less what was answered here and waits to be sent.
 * @param {Database} database
 * @param {EntryQueue} entries
 * @returns {Promise<Questions | null>} null where nothing was ever fetched
 */
export async function findQuestions(database, entries) {
  const due = await findAnswer(database, DUE);
  const found = await findAnswer(database, DEFINITIONS);
  if (!due || !found) return null;
  const byId = new Map(
    found.value.questionnaires.map((/** @type {Questionnaire} */ item) => [item.id, item]),
  );
  const now = Date.now();
  const open = due.value.filter(
    (/** @type {any} */ item) =>
      byId.has(item.questionnaire) &&
      !entries.isAnswered(item.questionnaire) &&
      (item.closes === null || Date.parse(item.closes) > now),
  );
  return {
    due: open.map((/** @type {any} */ item) => ({
      ...item,
      questionnaire: byId.get(item.questionnaire),
    })),
    help: found.value.help,
  };
}

/**
 * Ask the server what is due, and for the questions where there are any.
 * @param {Database} database
 */
export async function fetchQuestions(database) {
  const begun = performance.now();
  // What was answered while the server was asked may be on its list still.
  const due = await fetchAnswer(database, DUE, (value) =>
    value.filter(
      (/** @type {any} */ item) => (forgotten.get(item.questionnaire) ?? -1) < begun,
    ),
  );
  if (due.value.length > 0) await fetchAnswer(database, DEFINITIONS);
}

/** Take an answer off what is due, as the server has it now. @param {Database} database */
export async function forgetDue(database, /** @type {string} */ questionnaire) {
  forgotten.set(questionnaire, performance.now());
  const due = await findAnswer(database, DUE);
  if (!due) return;
  const left = due.value.filter((/** @type {any} */ item) => item.questionnaire !== questionnaire);
  await database.put("cache", DUE, { ...due, value: left });
}

/**
 * The language of a questionnaire that the reader reads, or its first.
 * @param {Questionnaire} questionnaire
 * @param {readonly string[]} wanted
 */
export function chooseLanguage(questionnaire, wanted) {
  const there = Object.keys(questionnaire.instruction);
  for (const tag of wanted) {
    const found = there.find((name) => name === tag || name === tag.split("-")[0]);
    if (found) return found;
  }
  return there[0];
}

/** Whether an answer calls for words of help. @param {Questionnaire} questionnaire */
export function isConcern(
  questionnaire,
  /** @type {string} */ item,
  /** @type {number | null} */ value,
) {
  return (
    value !== null &&
    questionnaire.concerns.some((concern) => concern.item === item && value >= concern.at_least)
  );
}

/** How many questions are due, and the minutes that they take. @param {Due[]} due */
export function measure(due) {
  const number = due.reduce((sum, { questionnaire }) => sum + questionnaire.items.length, 0);
  return { number, minutes: Math.ceil((number * SECONDS_A_QUESTION) / 60) };
}
