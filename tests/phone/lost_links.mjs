// Why the app says that a link was lost: straps with a battery of several levels, whose link is cut.
// Prints the reason of each break, case by case; test_lost_links.py says what is right.

globalThis.document = new EventTarget();
const JS = "../../phone/static/js";
const { WebBluetoothStrap } = await import(`${JS}/straps/web_bluetooth.js`);

const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
const missing = () => new DOMException("no such service", "NotFoundError");

/** A characteristic with a value of one byte, or none. */
class Characteristic extends EventTarget {
  constructor(byte = null) {
    super();
    if (byte !== null) this.value = new DataView(Uint8Array.of(byte).buffer);
  }

  readValue = async () => this.value;
  startNotifications = async () => this;

  send(...bytes) {
    this.value = new DataView(Uint8Array.from(bytes).buffer);
    this.dispatchEvent(new Event("characteristicvaluechanged"));
  }
}

/** A strap with this battery in percent; null: it does not tell. */
class Strap extends EventTarget {
  id = "1";
  name = "Polar H10";
  isReachable = true;
  connections = 0;

  constructor(battery) {
    super();
    this.measurement = new Characteristic();
    this.setBattery(battery);
    const strap = this;
    this.gatt = {
      connected: false,
      async connect() {
        if (!strap.isReachable) throw new DOMException("out of range", "NetworkError");
        strap.connections += 1;
        this.connected = true;
        return this;
      },
      disconnect() {
        this.connected = false;
      },
      async getPrimaryService(uuid) {
        const found = { heart_rate: strap.measurement, battery_service: strap.battery }[uuid];
        if (!found) throw missing();
        return { getCharacteristic: async () => found };
      },
    };
  }

  setBattery(percent) {
    this.battery = percent === null ? null : new Characteristic(percent);
  }

  cut() {
    this.gatt.connected = false;
    this.dispatchEvent(new Event("gattserverdisconnected"));
  }
}

async function until(isSo) {
  for (let turn = 0; turn < 20_000 && !isSo(); turn++) await new Promise((go) => setTimeout(go, 1));
  if (!isSo()) throw new Error("it did not come about");
}

/** The reasons of the breaks of a recording in which `play` happens. */
async function record(battery, play) {
  const device = new Strap(battery);
  const found = { reasons: [], levels: [], beats: 0, states: [] };
  const bluetooth = Object.assign(new EventTarget(), { getAvailability: async () => true });
  const strap = new WebBluetoothStrap(bluetooth, device, clock, (event) => {
    if (event.type === "break") found.reasons.push(event.reason);
    if (event.type === "battery") found.levels.push(event.percent);
    if (event.type === "notification") found.beats += 1;
    if (event.type === "connection") found.states.push(event.state);
  });
  const ended = strap.run();
  await until(() => found.states.includes("connected"));
  if (battery !== null) await until(() => found.levels.length === 1);
  // A notification: 60 beats a minute, an interval of 1024/1024 s.
  device.measurement.send(0x10, 60, 0x00, 0x04);
  await play({ device, found, wake: () => bluetooth.dispatchEvent(new Event("availabilitychanged")) });
  strap.stop();
  await ended;
  return found.reasons;
}

const cut = async ({ device, found }) => {
  device.cut();
  await until(() => found.reasons.length === 1);
};

/** While it is connected its battery falls from a level to another. */
const fall = (percent) => async (played) => {
  played.device.battery.send(percent);
  await cut(played);
};

/** After the cut it takes no connection twice. */
async function stayAway({ device, found, wake }) {
  device.isReachable = false;
  device.cut();
  for (const count of [1, 2, 3]) {
    await until(() => found.reasons.length === count);
    await new Promise((go) => setTimeout(go, 1));
    if (count < 3) wake();
  }
}

/** It comes back with another battery, and is cut again. */
const changeBattery = (percent) => async ({ device, found, wake }) => {
  device.setBattery(percent);
  device.cut();
  await until(() => found.reasons.length === 1);
  await new Promise((go) => setTimeout(go, 1));
  wake();
  await until(() => found.levels.length === 2);
  device.cut();
  await until(() => found.reasons.length === 2);
};

const found = {
  full: await record(77, cut),
  eleven: await record(11, cut),
  ten: await record(10, cut),
  untold: await record(null, cut),
  fell: await record(40, fall(8)),
  lowAndAway: await record(5, stayAway),
  fullAndAway: await record(77, stayAway),
  batteryChanged: await record(5, changeBattery(100)),
};
console.log(JSON.stringify(found));
process.exit(0);
