/** Answers of the API, kept in the encrypted database to be read offline, with their date. */

import { requestJson } from "./api.js";

/** @typedef {import('./storage/database.js').Database} Database */

/**
 * @template T
 * @typedef {{value: T, asOf: string}} Answer
 */

/**
 * Find the last answer that this phone has.
 * @param {Database} database
 * @param {string} path
 * @returns {Promise<Answer<any> | null>}
 */
export async function findAnswer(database, path) {
  return (await database.get("cache", path)) ?? null;
}

/**
 * Ask the API, and keep its answer.
 * @param {Database} database
 * @param {string} path
 * @param {(value: any) => any} [keep] what of it is kept
 * @param {string} [key] under which it is kept, where the path changes
 * @returns {Promise<Answer<any>>}
 */
export async function fetchAnswer(database, path, keep = (value) => value, key = path) {
  const value = keep(await requestJson("GET", path));
  const answer = { value, asOf: new Date().toISOString() };
  await database.put("cache", key, answer);
  return answer;
}
