/**
 * Who is signed in on this phone. The token is bound to this device and can be revoked; the key of
 * the database came with it and is kept by the browser as one that cannot be read out.
 */

import { SessionEndedError, request, requestJson } from "./api.js";
import { forgetReminders } from "./prompts.js";
import { hasDatabase, openDatabase } from "./storage/database.js";

/**
 * @typedef {{id: string, name: string, zone: string}} SessionPerson
 * @typedef {{id: string, name: string}} SessionDevice
 * @typedef {{token: string, expires: string | null, person: SessionPerson, device: SessionDevice}} Session
 * @typedef {import('./storage/database.js').Database} Database
 */

const KEY = "ebbtide.session";

/** Hears 'changed', 'revoked', 'erased', and at the start 'locked': of a revocation before. */
export const sessionEvents = new EventTarget();

/** @type {Session | null} */
let session = null;
/** @type {Database | null} */
let database = null;
/**
 * The databases of sessions that were revoked while the app was open, by person: a recording still
 * has them.
 * @type {Map<string, Database>}
 */
const locked = new Map();

/** @returns {Session | null} */
export function currentSession() {
  return session;
}

/** @returns {Database | null} */
export function currentDatabase() {
  return database;
}

/** Open what was signed in when the app was last open. */
export async function resumeSession() {
  const text = localStorage.getItem(KEY);
  if (text === null) {
    if (await hasDatabase()) sessionEvents.dispatchEvent(new Event("locked"));
    return null;
  }
  /** @type {Session} */
  const stored = JSON.parse(text);
  const opened = await openDatabase(stored.person.id, null);
  if (opened.locked) {
    // Its key is gone, for instance in another tab that was told of a revocation meanwhile.
    opened.close();
    localStorage.removeItem(KEY);
    sessionEvents.dispatchEvent(new Event("locked"));
    return null;
  }
  setDatabase(opened);
  session = stored;
  sessionEvents.dispatchEvent(new Event("changed"));
  return session;
}

/**
 * Sign in with a code that the pages show, or with e-mail and password.
 * @param {{code: string} | {email: string, password: string, second_factor_code?: string}} proof
 * @param {string} deviceName
 */
export async function signIn(proof, deviceName) {
  const answer = await requestJson("POST", "/v1/devices/sign-in", {
    json: { ...proof, device_name: deviceName },
    token: null,
  });
  const { id, name, zone } = answer.person;
  const key = decodeBase64Url(answer.storage_key);
  const former = locked.get(id);
  await former?.unlock(key);
  setDatabase(former ?? (await openDatabase(id, key)));
  locked.delete(id);
  session = {
    token: answer.token,
    expires: answer.expires ?? null,
    person: { id, name, zone },
    device: { id: answer.device.id, name: answer.device.name },
  };
  localStorage.setItem(KEY, JSON.stringify(session));
  sessionEvents.dispatchEvent(new Event("changed"));
  return session;
}

/**
 * Erase everything of the person on this phone, and tell the server that the token is over.
 * What waits must have been sent, or given up, before.
 * @returns {Promise<boolean>} whether the server heard of it
 */
export async function signOut() {
  let isHeard = true;
  const open = database;
  try {
    await request("DELETE", "/v1/devices/current");
  } catch (error) {
    isHeard = error instanceof SessionEndedError;
  }
  if (session !== null) await forget(true);
  else if (open !== null) {
    // The server had ended it: the rows would stay, locked, but were to go.
    locked.delete(open.personId);
    await open.destroy();
  }
  sessionEvents.dispatchEvent(new Event("changed"));
  return isHeard;
}

/**
 * End a session that the server ended. After a revocation the rows stay, locked, until the same
 * person signs in again; after an erasure they go.
 * @param {'revoked' | 'erased'} reason
 */
export async function endSession(reason) {
  if (session === null) return;
  await forget(reason === "erased");
  sessionEvents.dispatchEvent(new Event(reason));
  sessionEvents.dispatchEvent(new Event("changed"));
}

addEventListener("storage", (event) => {
  if (event.key === KEY && event.newValue !== null) void followSignIn(event.newValue);
});

/**
 * Another tab signed in. A recording that goes on in memory here is of the same person, or waits.
 * @param {string} text
 */
async function followSignIn(text) {
  if (session !== null) return;
  /** @type {Session} */
  const stored = JSON.parse(text);
  if (locked.size === 0) location.reload();
  const former = locked.get(stored.person.id);
  if (!former) return;
  await former.loadKey();
  if (former.locked || session !== null) return;
  setDatabase(former);
  locked.delete(former.personId);
  session = stored;
  sessionEvents.dispatchEvent(new Event("changed"));
}

/** @param {Database} opened */
function setDatabase(opened) {
  database = opened;
  opened.onEnded = (how) => endHere(opened, how);
}

/**
 * Another tab signed out, or was told of a revocation or an erasure. After a revocation nothing is
 * loaded anew: a recording would end with it.
 * @param {Database} opened
 * @param {'locked' | 'erased'} how
 */
function endHere(opened, how) {
  if (how === "erased") location.reload();
  else if (opened === database) {
    session = null;
    database = null;
    locked.set(opened.personId, opened);
    sessionEvents.dispatchEvent(new Event("revoked"));
    sessionEvents.dispatchEvent(new Event("changed"));
  }
}

/** @param {boolean} isErased */
async function forget(isErased) {
  session = null;
  const open = database;
  database = null;
  try {
    if (isErased) await open?.destroy();
    else if (open) {
      locked.set(open.personId, open);
      await open.lock();
    }
  } finally {
    // A browser that keeps no such thing is no reason to stay signed in.
    await forgetReminders().catch(() => {});
    // Last: where the browser is ended before, the next start finds a database without a key.
    localStorage.removeItem(KEY);
  }
}

/**
 * @param {string} text
 * @returns {Uint8Array<ArrayBuffer>}
 */
function decodeBase64Url(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}
