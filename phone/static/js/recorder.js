// Strap to outbox: what the views use. The rules of ingest/recorder.py.

import { EntryWriter } from "./entry_writer.js";
import { PageResources } from "./page_resources.js";
import { RecentBeats } from "./recent_beats.js";
import { RecorderNotices } from "./recorder_notices.js";
import { Outbox } from "./storage/outbox.js";
import {
  WebBluetoothStrap,
  chooseDevice,
  describeError,
  findAllowedDevice,
  findBluetooth,
} from "./straps/web_bluetooth.js";
import { Arrivals } from "./timing/arrivals.js";
import { NotificationPipeline } from "./timing/pipeline.js";
import { GapReason } from "./timing/units.js";
import { Uploader } from "./uploader.js";

/** @typedef {import("./storage/database.js").Database} Database */
/** @typedef {import("./straps/web_bluetooth.js").StrapEvent} StrapEvent */
/** @typedef {import("./straps/web_bluetooth.js").SignalKind} SignalKind */
/** @typedef {import("./straps/web_bluetooth.js").PageClock} PageClock */
/** @typedef {import("./timing/pipeline.js").RawNotification} RawNotification */
/** @typedef {import("./timing/pipeline.js").Accepted} Accepted */
/** @typedef {import("./timing/arrivals.js").Arrival} Arrival */
/** @typedef {import("./entry_writer.js").StreamHead} StreamHead */
/** @typedef {"idle" | "choosing" | "connecting" | "recording" | "reconnecting" | "blocked"} State */
/** @typedef {import("./recent_beats.js").RecentBeat} RecentBeat */

const COLLECT_MS = 300;

/** @type {PageClock} */
const SYSTEM_CLOCK = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };

/**
 * Records what one strap sends, and uploads it. Events: `changed` after everything that changes
 * what it shows; `durable` (detail: streamId, first, last, notifications) once they are on the disk.
 */
export class PhoneRecorder extends EventTarget {
  #database;
  #clock;
  #outbox;
  #uploader;
  #writer;
  #notices = new RecorderNotices();
  #page = new PageResources();
  /** @type {State} */
  #state = "idle";
  /** @type {WebBluetoothStrap | null} */
  #strap = null;
  /** @type {Arrivals | null} */
  #arrivals = null;
  /** @type {NotificationPipeline | null} */
  #pipeline = null;
  /** @type {SignalKind | null} */
  #kind = null;
  /** @type {StreamHead | null} */
  #stream = null;
  /** @type {StrapEvent[] | null} events that wait until the stream of before was looked for */
  #held = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #collecting;
  #recent = new RecentBeats();
  #waitingToUpload = 0;
  heartRate = /** @type {number | null} */ (null);
  contact = /** @type {boolean | null} */ (null);
  battery = /** @type {number | null} */ (null);
  strapName = /** @type {string | null} */ (null);
  /** Notifications of this recording that added no beats. */
  repeated = 0;
  malformed = 0;

  /**
   * @param {{database: Database, request: import("./uploader.js").RequestFunction,
   *   clock?: PageClock}} options
   */
  constructor({ database, request, clock = SYSTEM_CLOCK }) {
    super();
    this.#database = database;
    this.#clock = clock;
    this.#outbox = new Outbox(database);
    this.#uploader = new Uploader(database, request, this.#outbox);
    this.#uploader.addEventListener("progress", () => this.#noteUpload());
    this.#writer = new EntryWriter(this.#outbox, this.#notices, () => this.#changed());
    this.#writer.addEventListener("durable", (event) => {
      this.#countUnsent();
      this.dispatchEvent(
        new CustomEvent("durable", { detail: /** @type {CustomEvent} */ (event).detail }),
      );
    });
    this.#page.onChange = () => this.#noteRoom();
  }

  /** What it does now. */
  get state() {
    return this.#state;
  }

  /** What a person should do or know, by its key in locale/recorder.en.js; null if nothing. */
  get message() {
    return this.#notices.say({
      strap: this.strapName ?? "The strap",
      waiting: this.#writer.queued,
    });
  }

  /** Notifications that the server does not have. */
  get waiting() {
    return this.#waitingToUpload + this.#writer.queued;
  }

  /** Notifications that are only in memory: they go with the page. */
  get unwritten() {
    return this.#writer.queued;
  }

  /** Whether there are such. */
  get isUnwritten() {
    return this.unwritten > 0;
  }

  /** Hours of recording for which there is room; null where the browser does not say. */
  get hoursThatFit() {
    return this.#page.hoursThatFit;
  }

  /**
   * The last beats, oldest first. `follows`: its interval began at the beat before it.
   *
   * @param {number} count
   * @returns {RecentBeat[]}
   */
  lastBeats(count) {
    return this.#recent.last(count);
  }

  /**
   * Upload what waits from before, and go on with a recording that a reload ended, where the
   * browser allows that without the chooser.
   */
  async open() {
    await this.#countUnsent();
    await this.#page.measureRoom();
    void this.#uploader.run();
    const before = this.#database.locked ? undefined : await this.#database.get("meta", "recorder");
    if (!before) return;
    const bluetooth = findBluetooth();
    const device = bluetooth && (await findAllowedDevice(bluetooth, before.deviceId));
    this.strapName = before.name;
    if (bluetooth && device && (await this.#page.takeLock(this.#database.personId))) {
      await this.#record(bluetooth, device);
    } else if (bluetooth) {
      this.#notices.set("recorder.needs_choice");
      this.#changed();
    }
  }

  /**
   * Begin to record. Must be called in a click: the browser shows its chooser. `showAll`: with all
   * devices in it. `again`: the strap of before, where the browser allows that without the chooser.
   */
  async start({ showAll = false, again = false } = {}) {
    if (this.#state !== "idle" && this.#state !== "blocked") return;
    this.#notices.clearConnection();
    this.#notices.clear("recorder.other_tab");
    const bluetooth = findBluetooth();
    if (!bluetooth) {
      const key = isSecureContext ? "recorder.no_bluetooth" : "recorder.not_secure";
      this.#block(key);
      return;
    }
    this.#setState("choosing");
    if (!(await this.#page.takeLock(this.#database.personId))) {
      this.#block("recorder.other_tab");
      return;
    }
    let device = null;
    try {
      const before = again ? await this.#database.get("meta", "recorder") : undefined;
      device = before ? await findAllowedDevice(bluetooth, before.deviceId) : null;
      device = device ?? (await chooseDevice(bluetooth, showAll));
    } catch (error) {
      this.#page.release();
      this.#block(await describeError(bluetooth, error, "recorder.nothing_chosen"));
      return;
    }
    await this.#record(bluetooth, device);
  }

  /**
   * @param {import("./straps/web_bluetooth.js").Bluetooth} bluetooth
   * @param {import("./straps/web_bluetooth.js").Device} device
   */
  async #record(bluetooth, device) {
    const strap = new WebBluetoothStrap(bluetooth, device, this.#clock, (event) =>
      this.#receive(event),
    );
    this.#strap = strap;
    this.#kind = null;
    this.strapName = strap.name;
    this.#setState("connecting");
    const recording = { deviceId: device.id, name: strap.name };
    this.#database.put("meta", "recorder", recording).catch(() => {}); // only spares a choice
    void this.#page.hold();
    void strap.run();
  }

  /** End the recording, and do not wait for what cannot be written now: it stays in memory. */
  async halt() {
    if (this.#strap || this.#state !== "idle") await this.stop();
  }

  /**
   * End the recording; what came is written. The gap that follows has this reason.
   *
   * @param {string} reason
   */
  async stop(reason = GapReason.PAUSED) {
    const strap = this.#strap;
    if (!strap) {
      this.#notices.clearConnection();
      this.#setState("idle");
      return;
    }
    this.#strap = null;
    strap.stop();
    this.#flush();
    const stream = this.#stream;
    await this.#writer.finish(stream, reason);
    this.#arrivals = null;
    this.#pipeline = null;
    this.#stream = null;
    this.#held = null;
    this.#page.release();
    this.#database.delete("meta", "recorder").catch(() => {});
    this.heartRate = null;
    this.contact = null;
    this.#notices.clearRecording();
    this.#setState("idle");
    this.#uploader.wakeUp();
  }

  /**
   * Send what waits now; whether nothing waits any more.
   *
   * @returns {Promise<boolean>}
   */
  async sendNow() {
    await this.#writer.flush();
    try {
      await this.#uploader.uploadWaiting();
    } catch {
      // Said by `run` of the uploader; what waits is counted below.
    }
    await this.#countUnsent();
    return this.waiting === 0;
  }

  /** End everything; the database may be closed or locked after that. */
  async close() {
    await this.stop();
    this.#uploader.stop();
    this.#writer.close();
    this.#page.close();
  }

  /** @param {StrapEvent} event */
  #receive(event) {
    if (!this.#strap) return;
    if (this.#held && event.type !== "connection" && event.type !== "battery") {
      this.#held.push(event);
      return;
    }
    switch (event.type) {
      case "kind":
        void this.#prepare(event.kind);
        break;
      case "notification":
        this.#receiveNotification(event.raw);
        break;
      case "break":
        this.#handle(this.#arrivals?.interrupt(event.reason) ?? []);
        break;
      case "battery":
        this.battery = event.percent;
        break;
      case "connection":
        this.#noteConnection(event.state, event.message);
        break;
    }
    this.#changed();
  }

  /**
   * Continue the newest stream of this strap, or begin one with the first notification.
   *
   * @param {SignalKind} kind
   */
  async #prepare(kind) {
    this.#held = [];
    const source = this.strapName ?? "Strap";
    let previous = null;
    try {
      previous = await this.#outbox.findStream(kind.origin, source);
    } catch {
      // Locked: a stream of its own begins, and waits in memory.
    }
    const now = BigInt(Math.round(this.#clock.wallMs())) * 1_000_000n;
    const isUsable =
      previous &&
      previous.ticksPerSecond === kind.ticksPerSecond &&
      // What waits for room is of an earlier recording, and later than the last beat on the disk.
      !this.#writer.queued &&
      // The clock was set back between two recordings: times must increase within a stream.
      (previous.lastBeatNs === null || previous.lastBeatNs <= now);
    this.#kind = kind;
    this.#stream = isUsable && previous ? { ...previous, isOpen: true } : null;
    this.#pipeline = new NotificationPipeline(
      kind.decode,
      kind.ticksPerSecond,
      isUsable ? previous : null,
    );
    this.#arrivals = new Arrivals(this.#pipeline);
    const held = this.#held ?? [];
    this.#held = null;
    for (const event of held) this.#receive(event);
  }

  /** @param {RawNotification} raw */
  #receiveNotification(raw) {
    const arrivals = this.#arrivals;
    if (!arrivals) return;
    this.#notices.clear("recorder.pulse_begins");
    if (this.#writer.isOverfull) {
      // Hours wait in memory and there is no room: what comes now is lost, a gap, and told.
      if (this.#writer.noteLost()) this.#handle(arrivals.interrupt(GapReason.DISK_FULL));
      return;
    }
    this.#handle(arrivals.add(raw));
    clearTimeout(this.#collecting);
    if (arrivals.isCollecting) this.#collecting = setTimeout(() => this.#flush(), COLLECT_MS);
  }

  #flush() {
    clearTimeout(this.#collecting);
    if (this.#arrivals) this.#handle(this.#arrivals.flush());
    this.#changed();
  }

  /** @param {Arrival[]} arrivals */
  #handle(arrivals) {
    for (const { raw, processed, isLate } of arrivals) {
      if (processed.kind === "malformed") this.malformed += 1;
      else if (processed.kind === "duplicate") this.repeated += 1;
      else this.#accept(raw, processed, isLate);
    }
    this.#writer.write();
  }

  /**
   * @param {RawNotification} raw
   * @param {Accepted} accepted
   * @param {boolean} isLate
   */
  #accept(raw, accepted, isLate) {
    const pipeline = this.#pipeline;
    if (!pipeline || !this.#kind) return;
    if (accepted.startsStream || !this.#stream) {
      this.#stream = {
        id: crypto.randomUUID(),
        origin: this.#kind.origin,
        source: this.strapName ?? "Strap",
        createdNs: accepted.startsStream ? raw.receivedNs : accepted.notification.receivedNs,
        ticksPerSecond: pipeline.ticksPerSecond,
        isOpen: false,
      };
    }
    if (accepted.startsStream) this.#notices.noteClockSet();
    if (isLate) {
      const placed = accepted.notification.rrTicks.length;
      this.#notices.noteLate(placed, pipeline.peek(raw.payload)?.rrTicks.length ?? 0);
    }
    for (let part = /** @type {Accepted | null} */ (accepted); part; part = part.rest) {
      this.#writer.add(this.#stream, { notification: part.notification, gap: part.gap });
      this.#show(part);
    }
  }

  /** @param {Accepted} part */
  #show(part) {
    const { notification, gap } = part;
    this.heartRate = notification.heartRateBpm;
    this.contact = notification.contact;
    if (gap?.reason === GapReason.CLOCK_STEPPED) this.#notices.noteClockSet();
    this.#recent.add(part, this.#pipeline?.ticksPerSecond ?? 1024);
    this.#notices.noteSignal({
      hasContact: notification.contact,
      isDistrusted: this.#pipeline?.isDistrusted ?? false,
      areBeatsMissing: this.#recent.areMissing,
    });
  }

  /**
   * @param {"connecting" | "connected" | "lost"} state
   * @param {string | null} message
   */
  #noteConnection(state, message) {
    if (state === "connected") {
      this.#notices.clearConnection();
      if (this.#strap?.isPulse) this.#notices.set("recorder.pulse_begins");
      this.#setState("recording");
    } else if (message === "recorder.permission") {
      // Only the chooser gives it again: its button is there once this is over.
      void this.stop(GapReason.PERMISSION_LOST).then(() => this.#block(message));
    } else if (state === "lost") {
      this.#notices.clearConnection();
      if (message) this.#notices.set(message);
      this.#setState("reconnecting");
      this.heartRate = null;
    } else if (this.#state === "connecting") {
      this.#notices.set("recorder.connecting");
    }
  }

  #noteUpload() {
    this.#notices.noteUpload(this.#uploader.problem);
    this.#countUnsent();
  }

  #noteRoom() {
    this.#notices.noteRoom(this.#page.hoursThatFit);
    this.#changed();
  }

  async #countUnsent() {
    try {
      if (!this.#database.locked) this.#waitingToUpload = await this.#outbox.countWaiting();
    } catch {
      // Locked or closed meanwhile: the count of before stays.
    }
    this.#changed();
  }

  /** @param {string} key */
  #block(key) {
    this.#notices.set(key);
    this.#setState("blocked");
  }

  /** @param {State} state */
  #setState(state) {
    this.#state = state;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("changed"));
  }
}
