// The last beats of a recording: what is shown while it goes on.

/** @typedef {import("./timing/pipeline.js").Accepted} Accepted */
/** @typedef {{timeMs: number, rrMs: number, contact: boolean | null, follows: boolean}} RecentBeat */

const KEPT = 400; // two minutes of a fast heart
const WITHOUT_RR = 20; // notifications

export class RecentBeats {
  /** @type {RecentBeat[]} */
  #beats = [];
  #withoutRr = 0;

  /** Whether the strap has sent no intervals for a while. */
  get areMissing() {
    return this.#withoutRr >= WITHOUT_RR;
  }

  /**
   * The last of them, oldest first. `follows`: its interval began at the beat before it.
   *
   * @param {number} count
   * @returns {RecentBeat[]}
   */
  last(count) {
    return this.#beats.slice(-count);
  }

  /**
   * @param {Accepted} part
   * @param {number} ticksPerSecond
   */
  add({ notification, gap, misfit }, ticksPerSecond) {
    if (misfit) this.#beats = []; // they enter no metric
    notification.beatTimesNs.forEach((time, index) => {
      this.#beats.push({
        timeMs: Number(time / 1000n) / 1000,
        rrMs: (notification.rrTicks[index] * 1000) / ticksPerSecond,
        contact: notification.contact,
        follows: this.#beats.length > 0 && !(index === 0 && gap !== null),
      });
    });
    this.#beats = this.#beats.slice(-KEPT);
    this.#withoutRr = notification.rrTicks.length ? 0 : this.#withoutRr + 1;
  }
}
