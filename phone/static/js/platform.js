/** What this browser can do. */

/** Whether the app can work at all: an encrypted address, and a database. */
export const IS_SECURE = globalThis.isSecureContext && "indexedDB" in globalThis;

/** Whether a strap can be paired here. */
export const HAS_BLUETOOTH = "bluetooth" in navigator;

/** @returns {'apple' | 'firefox' | 'android' | 'other'} */
export function findPlatform() {
  const agent = navigator.userAgent;
  // iPads name themselves Macintosh, and have a touch screen.
  const isTablet = /Macintosh/.test(agent) && navigator.maxTouchPoints > 1;
  if (/iPhone|iPad|iPod/.test(agent) || isTablet) return "apple";
  if (/Firefox/.test(agent)) return "firefox";
  if (/Android/.test(agent)) return "android";
  return "other";
}

/** The phone as its list of devices names it, such as "Android phone". */
export function deviceKind() {
  const platform = findPlatform();
  if (platform === "apple") return /iPhone/.test(navigator.userAgent) ? "iPhone" : "iPad";
  if (/Android/.test(navigator.userAgent)) return "Android phone";
  return "Computer";
}

/**
 * Keep the screen on until the signal aborts; asked for again when the page is seen again.
 * @param {AbortSignal} signal
 */
export function keepScreenOn(signal) {
  if (!("wakeLock" in navigator)) return;
  /** @type {WakeLockSentinel | null} */
  let lock = null;
  const ask = async () => {
    if (document.visibilityState !== "visible" || signal.aborted) return;
    try {
      lock = await navigator.wakeLock.request("screen");
      if (signal.aborted) await lock.release();
    } catch {
      // A low battery refuses it: the screen goes dark as usual.
    }
  };
  document.addEventListener("visibilitychange", ask, { signal });
  signal.addEventListener("abort", () => void lock?.release(), { once: true });
  void ask();
}
