// A strap through Web Bluetooth: choose, connect, subscribe, connect again. The rules of
// ingest/straps/bluetooth/strap.py.
//
// Connecting again needs no gesture while the page lives, but services and characteristics must be
// got anew. After a reload the chooser is needed, except where the browser has `getDevices`.

import { GapReason, LOW_BATTERY_PERCENT } from "../timing/units.js";
import { STRAP_TICKS_PER_SECOND, decodeHeartRate } from "./heart_rate.js";
import {
  PMD_CONTROL,
  PMD_DATA,
  PMD_SERVICE,
  PPI_TICKS_PER_SECOND,
  START_PPI,
  decodePpi,
  offersPpi,
  responseStatus,
} from "./polar.js";

/** @typedef {import("./heart_rate.js").Measurement} Measurement */
/** @typedef {import("../timing/pipeline.js").RawNotification} RawNotification */
/**
 * What is used of Web Bluetooth; TypeScript's own types do not have it.
 *
 * @typedef {EventTarget & {uuid: string, value?: DataView, readValue(): Promise<DataView>,
 *   startNotifications(): Promise<unknown>,
 *   writeValueWithResponse(value: BufferSource): Promise<void>}} Characteristic
 * @typedef {{getCharacteristic(uuid: string): Promise<Characteristic>}} Service
 * @typedef {{connected: boolean, connect(): Promise<Server>, disconnect(): void,
 *   getPrimaryService(uuid: string): Promise<Service>}} Server
 * @typedef {EventTarget & {id: string, name?: string, gatt: Server}} Device
 * @typedef {EventTarget & {getAvailability(): Promise<boolean>,
 *   requestDevice(options: object): Promise<Device>, getDevices?(): Promise<Device[]>}} Bluetooth
 */
/**
 * What the strap sends: how it is decoded, once it is known and before the first notification.
 *
 * @typedef {object} SignalKind
 * @property {"strap" | "pulse"} origin
 * @property {number} ticksPerSecond
 * @property {(payload: Uint8Array) => Measurement} decode
 */
/**
 * @typedef {{type: "kind", kind: SignalKind}
 *   | {type: "notification", raw: RawNotification}
 *   | {type: "break", reason: string}
 *   | {type: "battery", percent: number}
 *   | {type: "connection", state: "connecting" | "connected" | "lost", message: string | null}
 * } StrapEvent
 */
/** @typedef {{wallMs(): number, monotonicMs(): number}} PageClock */

// Straps that advertise only a name, by how it begins: Chrome lists those too.
const NAME_PREFIXES = [
  "Polar", "HRM", "Garmin", "TICKR", "Wahoo", "COOSPO", "Coospo", "H6", "H7", "H9", "H10", "HW",
  "Magene", "Movesense", "Suunto", "CL8", "XOSS", "iGPSPORT", "Decathlon", "GEONAUTE", "Heart",
]; // prettier-ignore
const SERVICES = ["heart_rate", "battery_service", PMD_SERVICE];

const SILENCE_MS = 12_000; // a strap sends once a second: silent for this long, the link is dead
// An optical Polar computes for about 25 s before its first pulse intervals (Polar BLE SDK, PPI).
const FIRST_PULSE_MS = 60_000;
const TICK_MS = 3_000;
const CONNECT_MS = 20_000;
const MIN_WAIT_MS = 1_000;
const MAX_WAIT_MS = 30_000;

/** @returns {Bluetooth | null} */
export function findBluetooth() {
  return /** @type {any} */ (navigator).bluetooth ?? null;
}

/**
 * Let the person choose a strap. Must be called in a click. `showAll`: every device is listed, for
 * a strap with another name. Throws what the browser throws.
 *
 * @param {Bluetooth} bluetooth
 * @param {boolean} showAll
 * @returns {Promise<Device>}
 */
export async function chooseDevice(bluetooth, showAll) {
  const optionalServices = SERVICES;
  if (showAll) return bluetooth.requestDevice({ acceptAllDevices: true, optionalServices });
  const byName = NAME_PREFIXES.map((namePrefix) => ({ namePrefix }));
  return bluetooth.requestDevice({
    filters: [{ services: ["heart_rate"] }, ...byName],
    optionalServices,
  });
}

/**
 * The device of before, where this browser lets a page find it again without the chooser.
 *
 * @param {Bluetooth} bluetooth
 * @param {string} id
 * @returns {Promise<Device | null>}
 */
export async function findAllowedDevice(bluetooth, id) {
  if (!bluetooth.getDevices) return null;
  const devices = await bluetooth.getDevices();
  return devices.find((device) => device.id === id) ?? null;
}

export class WebBluetoothStrap {
  #device;
  #onEvent;
  #clock;
  #bluetooth;
  #isStopped = false;
  /** @type {number | null} */
  #battery = null;
  #arrivals = 0;
  /** @type {(() => void) | null} */
  #wake = null;
  /** @type {(() => void) | null} */
  #endConnection = null;
  /** @type {SignalKind | null} */
  #kind = null;

  /**
   * @param {Bluetooth} bluetooth
   * @param {Device} device
   * @param {PageClock} clock
   * @param {(event: StrapEvent) => void} onEvent
   */
  constructor(bluetooth, device, clock, onEvent) {
    this.#bluetooth = bluetooth;
    this.#device = device;
    this.#clock = clock;
    this.#onEvent = onEvent;
  }

  /** The name that it advertises. */
  get name() {
    return this.#device.name || "Strap";
  }

  /** Whether it sends pulse intervals, of an optical sensor. */
  get isPulse() {
    return this.#kind?.origin === "pulse";
  }

  /** Connect, subscribe, connect again, until `stop`. */
  async run() {
    const wakeUp = () => this.#wake?.();
    this.#bluetooth.addEventListener("availabilitychanged", wakeUp);
    document.addEventListener("visibilitychange", wakeUp);
    let wait = MIN_WAIT_MS;
    while (!this.#isStopped) {
      this.#onEvent({ type: "connection", state: "connecting", message: null });
      const before = this.#arrivals;
      let message;
      try {
        message = await this.#oneConnection();
      } catch (error) {
        message = await this.#describe(error);
      }
      this.#device.gatt.disconnect();
      if (this.#isStopped) break;
      this.#onEvent({ type: "connection", state: "lost", message });
      this.#onEvent({ type: "break", reason: this.#whyLost() });
      if (this.#arrivals > before) wait = MIN_WAIT_MS;
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, wait);
        this.#wake = () => {
          clearTimeout(timer);
          resolve(undefined);
        };
      });
      this.#wake = null;
      wait = Math.min(2 * wait, MAX_WAIT_MS);
    }
    this.#bluetooth.removeEventListener("availabilitychanged", wakeUp);
    document.removeEventListener("visibilitychange", wakeUp);
  }

  /** End `run`. */
  stop() {
    this.#isStopped = true;
    this.#wake?.();
    this.#endConnection?.();
    this.#device.gatt.disconnect();
  }

  /**
   * One connection, until it ends; the key of the message that says how.
   *
   * @returns {Promise<string>}
   */
  async #oneConnection() {
    const server = await inTime(this.#device.gatt.connect(), CONNECT_MS);
    if (this.#isStopped) return "recorder.link_lost";
    /** @type {((message: string) => void) | null} */
    let end = null;
    /** @type {Promise<string>} */
    const ended = new Promise((resolve) => {
      end = resolve;
    });
    const onDisconnect = () => end?.("recorder.link_lost");
    this.#endConnection = onDisconnect;
    this.#device.addEventListener("gattserverdisconnected", onDisconnect);
    const watch = this.#watchSilence(() => end?.("recorder.silent"));
    try {
      await inTime(this.#subscribe(server), CONNECT_MS);
      if (!server.connected) return "recorder.link_lost";
      this.#onEvent({ type: "connection", state: "connected", message: null });
      this.#readBattery(server).catch(() => {}); // many straps have none
      return await ended;
    } finally {
      clearInterval(watch);
      this.#device.removeEventListener("gattserverdisconnected", onDisconnect);
      this.#endConnection = null;
    }
  }

  /**
   * Why the link was lost, as far as that is known: a browser does not say whether a strap that
   * takes no connection was heard.
   */
  #whyLost() {
    const isLow = this.#battery !== null && this.#battery <= LOW_BATTERY_PERCENT;
    return isLow ? GapReason.BATTERY_LOW : GapReason.LINK_LOST;
  }

  /** @param {Server} server */
  async #subscribe(server) {
    if (await this.#subscribePulse(server)) return;
    const service = await server.getPrimaryService("heart_rate");
    const measurement = await service.getCharacteristic("heart_rate_measurement");
    this.#setKind({
      origin: "strap",
      ticksPerSecond: STRAP_TICKS_PER_SECOND,
      decode: decodeHeartRate,
    });
    measurement.addEventListener("characteristicvaluechanged", (event) => this.#receive(event));
    await measurement.startNotifications();
  }

  /**
   * Subscribe to an optical Polar's pulse intervals; false where there are none.
   *
   * @param {Server} server
   * @returns {Promise<boolean>}
   */
  async #subscribePulse(server) {
    let control;
    let data;
    try {
      const service = await server.getPrimaryService(PMD_SERVICE);
      control = await service.getCharacteristic(PMD_CONTROL);
      if (!offersPpi(bytesOf(await control.readValue()))) return false;
      data = await service.getCharacteristic(PMD_DATA);
    } catch (error) {
      if (error instanceof DOMException && error.name !== "NetworkError") return false;
      throw error;
    }
    /** @type {Promise<number>} */
    const answer = new Promise((resolve) => {
      control.addEventListener("characteristicvaluechanged", (event) => {
        const value = /** @type {Characteristic} */ (event.target).value;
        if (value) resolve(responseStatus(bytesOf(value)));
      });
    });
    await control.startNotifications();
    this.#setKind({ origin: "pulse", ticksPerSecond: PPI_TICKS_PER_SECOND, decode: decodePpi });
    data.addEventListener("characteristicvaluechanged", (event) => this.#receive(event));
    await data.startNotifications();
    await control.writeValueWithResponse(START_PPI);
    const status = await answer;
    if (status !== 0 && status !== 6) throw new DOMException("no pulse intervals", "NotFoundError");
    return true;
  }

  /** @param {SignalKind} kind */
  #setKind(kind) {
    if (this.#kind?.origin !== kind.origin) this.#onEvent({ type: "kind", kind });
    this.#kind = kind;
  }

  /** @param {Event} event */
  #receive(event) {
    const value = /** @type {Characteristic} */ (event.target).value;
    if (!value || this.#isStopped) return;
    this.#arrivals += 1;
    const raw = {
      payload: bytesOf(value),
      receivedNs: toNs(this.#clock.wallMs()),
      monotonicNs: toNs(this.#clock.monotonicMs()),
    };
    this.#onEvent({ type: "notification", raw });
  }

  /** @param {Server} server */
  async #readBattery(server) {
    const service = await server.getPrimaryService("battery_service");
    const level = await service.getCharacteristic("battery_level");
    /** @param {DataView | undefined} value */
    const tell = (value) => {
      if (!value) return;
      this.#battery = value.getUint8(0);
      this.#onEvent({ type: "battery", percent: this.#battery });
    };
    tell(await level.readValue());
    level.addEventListener("characteristicvaluechanged", (event) =>
      tell(/** @type {Characteristic} */ (event.target).value),
    );
    await level.startNotifications();
  }

  /**
   * Call `onSilent` when nothing has come for a while in which this page was awake. A page that was
   * frozen hears its timers before the notifications that wait. The first pulse intervals may take
   * longer.
   *
   * @param {() => void} onSilent
   * @returns {ReturnType<typeof setInterval>}
   */
  #watchSilence(onSilent) {
    let quietTicks = 0;
    const atConnect = this.#arrivals;
    let seen = atConnect;
    let before = performance.now();
    return setInterval(() => {
      const now = performance.now();
      const isLate = now - before > 2 * TICK_MS;
      before = now;
      quietTicks = isLate || this.#arrivals !== seen ? 0 : quietTicks + 1;
      seen = this.#arrivals;
      const isBeginning = this.isPulse && seen === atConnect;
      if (quietTicks * TICK_MS >= (isBeginning ? FIRST_PULSE_MS : SILENCE_MS)) onSilent();
    }, TICK_MS);
  }

  /**
   * The key of the message for an error of the browser.
   *
   * @param {unknown} error
   * @returns {Promise<string>}
   */
  async #describe(error) {
    return describeError(this.#bluetooth, error, "recorder.not_found");
  }
}

/**
 * The key of the message for an error of the browser. `otherwise`: where it is of the connection.
 *
 * @param {Bluetooth} bluetooth
 * @param {unknown} error
 * @param {string} otherwise
 * @returns {Promise<string>}
 */
export async function describeError(bluetooth, error, otherwise) {
  const name = error instanceof Error || error instanceof DOMException ? error.name : "";
  if (name === "SecurityError" || name === "NotAllowedError") return "recorder.permission";
  if (!(await bluetooth.getAvailability())) return "recorder.adapter_off";
  if (name === "NotFoundError" && otherwise === "recorder.not_found") {
    return "recorder.no_heart_rate";
  }
  return otherwise;
}

/**
 * @template T
 * @param {Promise<T>} promise
 * @param {number} ms
 * @returns {Promise<T>}
 */
async function inTime(promise, ms) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const timeout = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new DOMException("it did not answer", "TimeoutError")), ms);
  });
  try {
    return await /** @type {Promise<T>} */ (Promise.race([promise, timeout]));
  } finally {
    clearTimeout(timer);
  }
}

/**
 * A copy: the browser may use the buffer again.
 *
 * @param {DataView} view
 * @returns {Uint8Array<ArrayBuffer>}
 */
function bytesOf(view) {
  const copy = new Uint8Array(view.byteLength);
  copy.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  return copy;
}

/**
 * @param {number} ms
 * @returns {bigint}
 */
function toNs(ms) {
  return BigInt(Math.round(ms * 1000)) * 1000n;
}
