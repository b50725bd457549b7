/** Prompts: which one waits for an answer, and whether this browser shows notifications. */

import { request, requestJson } from "./api.js";

/** What the service worker wrote down of the last notification: known without net too. */
const CACHE = "ebbtide-prompt";
const KEY = "last";

/**
 * `expires`: ms since 1970; `asks`: for pain, stress or both, which is meant where nothing is said.
 * @typedef {{id: string, expires: number, asks?: string}} OpenPrompt
 */

/**
 * The prompt that this phone showed last. A rating about a moment before it expires answers it, as
 * far as this phone knows; the server decides.
 * @returns {Promise<OpenPrompt | null>}
 */
export async function findPrompt() {
  try {
    const found = await caches.match(KEY, { cacheName: CACHE }); // which makes no cache
    return found ? await found.json() : null;
  } catch {
    return null; // no room, or a private window: the rating is kept all the same
  }
}

/** Ask the server what waits, and keep it for when there is no net. */
export async function loadPrompt() {
  const { prompt } = await requestJson("GET", "/v1/prompts/waiting");
  if (!prompt) return;
  const { id, expires, asks } = prompt;
  await writeLast({ id, expires: Date.parse(expires), asks });
}

/** Forget the prompt that was answered. */
export async function forgetPrompt() {
  if ("caches" in globalThis) await (await caches.open(CACHE)).delete(KEY);
}

/** Leave nothing of a person's prompts in this browser, which is asked for them no more. */
export async function forgetReminders() {
  if ("caches" in globalThis) await caches.delete(CACHE);
  if (!("serviceWorker" in navigator)) return;
  const registration = await navigator.serviceWorker.getRegistration();
  if (!registration) return;
  for (const shown of await registration.getNotifications()) shown.close();
  if (CAN_PUSH) await unsubscribe(registration);
}

/** @param {ServiceWorkerRegistration} registration */
async function unsubscribe(registration) {
  await (await registration.pushManager.getSubscription())?.unsubscribe();
}

/** @param {OpenPrompt} prompt */
async function writeLast(prompt) {
  await (await caches.open(CACHE)).put(KEY, new Response(JSON.stringify(prompt)));
}

/** Whether this browser can show notifications while the app is closed. */
export const CAN_PUSH =
  "serviceWorker" in navigator && "PushManager" in globalThis && "Notification" in globalThis;

/** @typedef {{enabled: boolean, push_key: string, random_a_day: number, by_heart: boolean, asks_apart: boolean,
 *   zone: string,
 *   pauses: {first: string, last: string}[], browsers: {id: string}[]}} Reminders */

/** @returns {Promise<Reminders>} */
export async function loadReminders() {
  const found = await requestJson("GET", "/v1/reminders");
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  // Prompts come by the clock of where the phone is.
  if (found.enabled && zone && zone !== found.zone) {
    await request("PUT", "/v1/reminders/zone", { json: { zone } });
  }
  return found;
}

/**
 * Begin to be reminded: with notifications where this browser allows them.
 * @param {Reminders} reminders
 * @param {string} deviceName
 * @returns {Promise<'push' | 'page' | 'denied'>} how prompts arrive here
 */
export async function beginReminders(reminders, deviceName) {
  await request("PUT", "/v1/reminders", { json: { enabled: true } });
  if (!CAN_PUSH) return "page";
  if ((await Notification.requestPermission()) !== "granted") return "denied";
  const registration = await navigator.serviceWorker.ready;
  /** @type {PushSubscription} */
  let subscription;
  try {
    subscription = await registration.pushManager.subscribe({
      userVisibleOnly: true,
      applicationServerKey: reminders.push_key,
    });
  } catch {
    return "page"; // some browsers have no push service, and some are cut off from it
  }
  const { endpoint, keys } = subscription.toJSON();
  await request("PUT", "/v1/push/subscription", { json: { endpoint, keys, name: deviceName } });
  return "push";
}

/** Have no more prompts. */
export async function endReminders() {
  await request("PUT", "/v1/reminders", { json: { enabled: false } });
  if (!CAN_PUSH) return;
  const registration = await navigator.serviceWorker.getRegistration();
  if (registration) await unsubscribe(registration);
}

/** @param {boolean} wished whether to be asked by the heart, too */
export async function askByHeart(wished) {
  await request("PUT", "/v1/reminders", { json: { by_heart: wished } });
}

/** @param {boolean} wished whether to be asked for pain and stress at different moments */
export async function askApart(wished) {
  await request("PUT", "/v1/reminders", { json: { asks_apart: wished } });
}

/** @param {number} days without prompts, today included; 0 ends a pause */
export async function pauseReminders(days) {
  await request("POST", "/v1/reminders/pause", { json: { days } });
}
