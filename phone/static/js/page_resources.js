// What a recording asks of the browser: a lock against a second tab, a screen that stays on,
// storage that is not cleared, and how much room there is.

// Measured (docs/evidence/phone.md) with a notification a second, all of it still here.
const BYTES_PER_HOUR = 9_300_000;
const MEASURE_MS = 60_000;

export class PageResources {
  /** @type {(() => void) | null} */
  #releaseLock = null;
  /** @type {WakeLockSentinel | null} */
  #wakeLock = null;
  #isHeld = false;
  #measuring = setInterval(() => void this.measureRoom(), MEASURE_MS);
  #onVisible = () => void this.#keepScreenOn();
  /** Hours of recording for which there is room; null where the browser does not say. */
  hoursThatFit = /** @type {number | null} */ (null);
  /** @type {() => void} */
  onChange = () => {};

  constructor() {
    document.addEventListener("visibilitychange", this.#onVisible);
  }

  /**
   * Keep a second tab from recording; false where one does already.
   *
   * @param {string} personId
   * @returns {Promise<boolean>}
   */
  async takeLock(personId) {
    if (this.#releaseLock) return true;
    return new Promise((resolve) => {
      void navigator.locks.request(
        `ebbtide-recorder-${personId}`,
        { ifAvailable: true },
        (lock) => {
          resolve(lock !== null);
          if (lock === null) return undefined;
          return new Promise((release) => {
            this.#releaseLock = () => release(undefined);
          });
        },
      );
    });
  }

  /** Keep the screen on, and ask that what is stored is not cleared. */
  async hold() {
    this.#isHeld = true;
    await this.#keepScreenOn();
    await navigator.storage?.persist?.();
    await this.measureRoom();
  }

  /** Give everything back. */
  release() {
    this.#isHeld = false;
    this.#releaseLock?.();
    this.#releaseLock = null;
    this.#wakeLock?.release().catch(() => {});
    this.#wakeLock = null;
  }

  /** Give everything back, for good. */
  close() {
    this.release();
    clearInterval(this.#measuring);
    document.removeEventListener("visibilitychange", this.#onVisible);
  }

  /** Ask how much room there is. */
  async measureRoom() {
    const { quota, usage } = (await navigator.storage?.estimate?.()) ?? {};
    this.hoursThatFit =
      quota === undefined || usage === undefined
        ? null
        : Math.max(0, (quota - usage) / BYTES_PER_HOUR);
    this.onChange();
  }

  /** The browser takes the wake lock away from a page that is hidden: ask again. */
  async #keepScreenOn() {
    if (!this.#isHeld || document.visibilityState !== "visible" || !navigator.wakeLock) return;
    if (this.#wakeLock && !this.#wakeLock.released) return;
    try {
      this.#wakeLock = await navigator.wakeLock.request("screen");
    } catch {
      // A low battery forbids it; recording goes on, and a frozen page is noticed.
    }
  }
}
