// The recorder without the app around it. Parameters of the address: person, token, key (hexadecimal,
// for the first time), clock (ms: the time of this page, which then passes by what the strap sends).

import { openDatabase } from "/test/js/storage/database.js";
import { PhoneRecorder } from "/test/js/recorder.js";

const asked = new URLSearchParams(location.search);
const hex = asked.get("key");
const key = hex ? Uint8Array.from(hex.match(/../g), (two) => parseInt(two, 16)) : null;

// Time passes as the intervals say, however fast the strap is played.
let clock;
if (asked.has("clock")) {
  let time = Number(asked.get("clock"));
  const start = time;
  const mayBeLate = asked.has("late"); // by up to 0.4 s, each by another time
  let now = time;
  let count = 0;
  clock = { wallMs: () => now, monotonicMs: () => now - start };
  const prototype = BluetoothRemoteGATTCharacteristic.prototype;
  const listen = prototype.addEventListener;
  prototype.addEventListener = function (kind, listener) {
    listen.call(this, kind, (event) => {
      const view = event.target.value;
      const isPulse = this.uuid.startsWith("fb005c82");
      if (isPulse || this.uuid.startsWith("00002a37")) {
        for (let at = 11; isPulse && at + 4 < view.byteLength; at += 6) {
          time += view.getUint16(at, true);
        }
        for (let at = 2; !isPulse && view.getUint8(0) & 0x10 && at + 1 < view.byteLength; at += 2) {
          time += (view.getUint16(at, true) * 1000) / 1024;
        }
        count += 1;
        now = Math.max(now + 1, time + (mayBeLate ? (count * 7919) % 400 : 0));
      }
      listener.call(this, event);
    });
  };
} else {
  clock = { wallMs: () => Date.now() + window.wallSetBy, monotonicMs: () => performance.now() };
}
window.wallSetBy = 0;
window.token = asked.get("token");
window.isServerAway = false;

class NamedError extends Error {
  constructor(name, more = {}) {
    super(name);
    this.name = name;
    Object.assign(this, more);
  }
}

async function request(method, path, { body, headers, signal } = {}) {
  let answer;
  try {
    if (window.isServerAway) throw new TypeError("away");
    const all = { ...headers, Authorization: `Bearer ${window.token}` };
    answer = await fetch(path, { method, body, headers: all, signal });
  } catch {
    throw new NamedError("OfflineError");
  }
  if (answer.ok) return answer;
  if (answer.status >= 500) throw new NamedError("OfflineError");
  const problem = await answer.json();
  if (answer.status === 401) {
    await window.database.lock();
    throw new NamedError("SessionEndedError");
  }
  window.lastProblem = problem;
  const kind = problem.type.split(":").pop();
  throw new NamedError("ProblemError", { status: answer.status, kind, headers: answer.headers });
}

window.database = await openDatabase(asked.get("person"), key);
window.recorder = new PhoneRecorder({ database: window.database, request, clock });
window.messages = [];
window.durable = 0;
window.recorder.addEventListener("changed", () => {
  const message = window.recorder.message?.key;
  if (message && message !== window.messages[window.messages.length - 1]) {
    window.messages.push(message);
  }
});
window.recorder.addEventListener("durable", ({ detail }) => {
  window.durable += detail.notifications.length;
  // Told outside only now: a test compares it with what is in the store in the end.
  const rr = detail.notifications.map(({ rrTicks }) => rrTicks);
  navigator.sendBeacon("/test/told", JSON.stringify({ ...detail, notifications: undefined, rr }));
});
document.getElementById("start").onclick = () => window.recorder.start();
document.getElementById("stop").onclick = () => window.recorder.stop();
await window.recorder.open();
window.isReady = true;
