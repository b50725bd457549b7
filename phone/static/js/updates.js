/** The service worker: the app opens without a net, and a new version waits for a word. */

const WORKER = "service-worker.js";

/** Hears 'changed' when a new version waits. */
export const updates = new EventTarget();

/** @type {ServiceWorker | null} */
let waiting = null;
let isAskedFor = false;
let isReplaced = false;
/** @type {() => boolean} */
let isBusy = () => false;

/** Whether a new version is ready. */
export function hasUpdate() {
  return waiting !== null || isReplaced;
}

/** Whether it waits for the end of a recording. */
export function mustWait() {
  return isBusy();
}

/**
 * Register the service worker, and look for a new version whenever the app is opened again.
 * @param {() => boolean} isInUse whether there is something that opening anew would end
 */
export async function startUpdates(isInUse) {
  isBusy = isInUse;
  if (!("serviceWorker" in navigator)) return;
  const isFirst = navigator.serviceWorker.controller === null;
  const address = /** @type {any} */ (trustedAddress(new URL(WORKER, document.baseURI).href));
  const registration = await navigator.serviceWorker.register(address, { updateViaCache: "none" });
  const note = () => {
    // The very first version is no update: nothing runs that it would replace.
    waiting = navigator.serviceWorker.controller === null ? null : registration.waiting;
    updates.dispatchEvent(new Event("changed"));
  };
  registration.addEventListener("updatefound", () => {
    const coming = registration.installing;
    coming?.addEventListener("statechange", note);
  });
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    // Another tab took the new version: this one would run with files of two versions.
    if (isFirst && !isAskedFor) return;
    if (!isBusy()) {
      location.reload();
      return;
    }
    // All of this one's files are loaded: it may go on until the person says otherwise.
    isReplaced = true;
    updates.dispatchEvent(new Event("changed"));
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") registration.update().catch(() => {});
  });
  note();
}

/** Whether the person asked for it: the browser lets the former worker end first, for minutes. */
export function isComing() {
  return isAskedFor && !isReplaced;
}

/** Use the new version now: the app opens anew. */
export function applyUpdate() {
  isAskedFor = true;
  if (isReplaced) location.reload();
  else waiting?.postMessage("use-this-version");
  updates.dispatchEvent(new Event("changed"));
}

/** Look up which version of the files runs. @returns {Promise<string | null>} */
export async function findVersion() {
  if (!("caches" in globalThis)) return null;
  const names = await caches.keys();
  const name = names.filter((item) => item.startsWith("ebbtide-app-"))[0];
  return name ? name.slice("ebbtide-app-".length) : null;
}

/**
 * With `require-trusted-types-for`, a worker's address must come from a policy: this one knows one.
 * @param {string} address
 */
function trustedAddress(address) {
  /** @type {any} */
  const { trustedTypes } = /** @type {any} */ (globalThis);
  if (!trustedTypes) return address;
  return trustedTypes
    .createPolicy("ebbtide", { createScriptURL: (/** @type {string} */ url) => url })
    .createScriptURL(address);
}
