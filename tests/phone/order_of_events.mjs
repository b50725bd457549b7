// What happens to sign-in, ratings and the writing of beats when things come in an unlucky order.
// Prints what came out, case by case; test_order_of_events.py says what is right.

import {
  disk,
  later,
  loads,
  other,
  server,
  storage,
  tellStorage,
  until,
} from "./browser_parts.mjs";

const JS = "../../phone/static/js";
const { EntryQueue } = await import(`${JS}/entries.js`);
const { EntryWriter } = await import(`${JS}/entry_writer.js`);
const { Conditions } = await import(`${JS}/conditions.js`);
const { Outbox } = await import(`${JS}/storage/outbox.js`);
const { openDatabase } = await import(`${JS}/storage/database.js`);
const { request } = await import(`${JS}/api.js`);
const { currentDatabase, currentSession, sessionEvents, signIn, signOut } = await import(
  `${JS}/session.js`
);

const PROBLEM = "urn:ebbtide:problem:";
const KEY = "A".repeat(43);
const key = () => new Uint8Array(32); // what KEY is, decoded
const heard = [];
for (const name of ["revoked", "erased"]) sessionEvents.addEventListener(name, () => heard.push(name));

function signedIn(id, token) {
  const person = { id, name: id, zone: "UTC" };
  return { token, person, device: { id: "1", name: "phone" }, storage_key: KEY };
}

/** Sign in as somebody; the server answers as `answer` says. */
async function begin(id, answer = async () => ({ status: 404, json: {} })) {
  server.answer = async () => ({ status: 201, json: signedIn(id, `phone-${id}`) });
  await signIn({ code: "x" }, "phone");
  server.answer = answer;
  server.asked.length = 0;
  heard.length = 0;
  loads.count = 0;
}

/** A server that stores ratings, and holds each answer up until `go`. */
function ratingServer() {
  const stored = new Map();
  const gates = [];
  const answer = async ({ method, path, body }) => {
    if (method === "GET" && path.startsWith("/v1/ratings?")) {
      return { status: 200, json: { ratings: [...stored.values()] } };
    }
    if (path === "/v1/devices/current") return { status: 204 };
    const gate = later();
    gates.push(gate);
    await gate.promise;
    const id = body?.id ?? /ratings\/([^?]+)/.exec(path)?.[1];
    const is = stored.get(id);
    const version = Number(body?.version ?? /version=(\d+)/.exec(path)?.[1] ?? 0);
    if (method === "GET") return { status: 200, json: is };
    if (version !== (is?.version ?? 0)) return { status: 409, json: { type: `${PROBLEM}conflict` } };
    const withdrawn = method === "DELETE";
    const entered = new Date().toISOString();
    stored.set(id, { ...is, ...body, id, version: version + 1, withdrawn, entered });
    return { status: 200, json: stored.get(id) };
  };
  const go = () => gates.splice(0).forEach((gate) => gate.resolve());
  return { stored, gates, answer, go };
}

const content = (pain) => ({ pain, stress: 1, about: "2026-11-28T10:00:00.000+00:00" });

/** Three ratings wait; while the first is sent, the second is changed and the third deleted. */
async function changeWhileOthersAreSent() {
  const { stored, gates, answer, go } = ratingServer();
  await begin("ada", answer);
  const queue = new EntryQueue(currentDatabase());
  await queue.load();
  for (const pain of [1, 2, 3]) await queue.rate(content(pain));
  const [, second, third] = queue.ratings().map(({ id }) => id);
  const sending = queue.send();
  await until(() => gates.length);
  await queue.correct(second, 1, content(8));
  await queue.withdraw(third, 1);
  const timer = setInterval(go, 1);
  await sending;
  await until(() => queue.waiting === 0);
  clearInterval(timer);
  queue.close();
  const pains = [...stored.values()].filter((one) => !one.withdrawn).map(({ pain }) => pain);
  await signOut();
  return pains;
}

/** A rating is on its way when it is changed, and one when it is deleted. */
async function changeOnItsWay() {
  const { stored, gates, answer, go } = ratingServer();
  await begin("ada", answer);
  const queue = new EntryQueue(currentDatabase());
  await queue.load();
  const found = [];
  for (const change of ["correct", "withdraw"]) {
    const id = await queue.rate(content(4));
    await until(() => gates.length);
    if (change === "correct") await queue.correct(id, 1, content(9));
    else await queue.withdraw(id, 1);
    const timer = setInterval(go, 1);
    await until(() => queue.waiting === 0);
    clearInterval(timer);
    found.push([stored.get(id).pain, stored.get(id).withdrawn]);
  }
  queue.close();
  await signOut();
  return found;
}

/** Another tab has sent a rating that this one still takes for one that waits. */
async function changeWhatAnotherTabSent() {
  const { stored, answer, gates, go } = ratingServer();
  await begin("ada", answer);
  const queues = [new EntryQueue(currentDatabase()), new EntryQueue(currentDatabase())];
  const timer = setInterval(go, 1);
  const id = await queues[0].rate(content(4));
  await queues[1].load();
  await until(() => queues[0].waiting === 0 && stored.size === 1);
  await queues[1].correct(id, 1, content(9));
  await until(() => queues[1].waiting === 0);
  clearInterval(timer);
  queues.forEach((queue) => queue.close());
  await signOut();
  return [stored.get(id).pain, stored.get(id).version, gates.length];
}

/** A rating that the server refused is changed, and taken then. */
async function changeWhatWasRefused() {
  const bodies = [];
  await begin("ada", async ({ method, body }) => {
    if (method === "GET") return { status: 200, json: { ratings: [] } };
    bodies.push(body.pain);
    if (body.pain === 5) return { status: 422, json: { title: "no", detail: "not that" } };
    return { status: 201, json: { ...body, version: 1 } };
  });
  const queue = new EntryQueue(currentDatabase());
  await queue.load();
  const id = await queue.rate(content(5));
  await until(() => queue.refused.length === 1);
  const [{ problem }] = queue.ratings();
  await queue.correct(id, 1, content(6));
  await until(() => queue.waiting === 0);
  queue.close();
  await signOut();
  return [problem, bodies];
}

/** An answer to a sign-in that is over, when another person is signed in. */
async function lateAnswer(status, kind) {
  const gate = later();
  await begin("ada", async () => {
    await gate.promise;
    return { status, json: { type: PROBLEM + kind } };
  });
  const asked = request("GET", "/v1/me").catch((error) => error.name);
  await until(() => server.asked.length);
  await begin("eve");
  gate.resolve();
  const found = [await asked, currentSession()?.person.id ?? null, disk.has("ebbtide-eve"), [...heard]];
  await signOut();
  return found;
}

/** Something before the API answers 401. */
async function proxyAnswer() {
  await begin("ada", async () => ({ status: 401, json: {} }));
  const name = await request("GET", "/v1/me").catch((error) => error.name);
  const found = [name, currentSession()?.person.id ?? null];
  server.answer = async () => ({ status: 204 });
  await signOut();
  return found;
}

/** Sign out while another tab that sleeps has the database open. */
async function signOutBesideATabThatSleeps() {
  await begin("ada", async () => ({ status: 204 }));
  await currentDatabase().put("entries", 1, { pain: 1 });
  other.isAsleep = true;
  const isHeard = await signOut();
  other.isAsleep = false;
  const left = [...disk.get("ebbtide-ada").values()].map((rows) => rows.size);
  disk.clear();
  return [isHeard, left.every((size) => size === 0), storage.size];
}

/** Sign out where the server had ended the sign-in: nothing stays for that. */
async function signOutAfterARevocation() {
  await begin("ada", async () => ({ status: 401, json: { type: `${PROBLEM}device-revoked` } }));
  await currentDatabase().put("entries", 1, { pain: 1 });
  return [await signOut(), disk.size, storage.size];
}

/** Another tab hears of a revocation, and later signs in again. */
async function revokedInAnotherTab() {
  await begin("ada");
  const mine = currentDatabase();
  const text = storage.get("ebbtide.session");
  const there = await openDatabase("ada", null);
  await there.lock();
  storage.delete("ebbtide.session");
  tellStorage("ebbtide.session", null);
  await until(() => heard.length);
  const between = [currentSession(), mine.locked, loads.count, [...heard]];
  await there.unlock(key());
  storage.set("ebbtide.session", text);
  tellStorage("ebbtide.session", text);
  await until(() => currentSession() !== null);
  const after = [currentDatabase() === mine, mine.locked, loads.count];
  there.close();
  await signOut();
  return { between, after };
}

/** A stream goes on in another tab while notifications of this one wait for room. */
async function streamThatWentOn() {
  const database = await openDatabase("ada", key());
  const outbox = new Outbox(database);
  const entry = (ms, gap = null) => {
    const time = BigInt(ms) * 1_000_000n;
    const notification = { receivedNs: time, heartRateBpm: 60, rrTicks: [1024], beatTimesNs: [time] };
    return { notification: { ...notification, contact: null, energyKj: null }, gap };
  };
  const head = { id: "s", origin: "strap", source: "H10", createdNs: 1n, ticksPerSecond: 1024 };
  await outbox.openStream(head);
  await outbox.append("s", [entry(1000), entry(9000)]); // the other tab's is the second
  const writer = new EntryWriter(outbox, new Conditions(), () => {});
  const stream = { ...head, isOpen: true };
  for (const ms of [2000, 3000, 4000]) {
    writer.add(stream, entry(ms, { startNs: 1n, endNs: 2n, reason: "link lost" }));
  }
  writer.write();
  await until(() => !writer.queued);
  writer.close();
  const states = await outbox.states();
  const rows = await database.all("notifications");
  const gaps = await database.all("gaps");
  const found = [states.map(({ lastSequence }) => lastSequence).sort(), rows.length, gaps.length];
  await database.destroy();
  return found;
}

/** Sign in again with another key: once the rows of before are gone that is said, and once only. */
async function signInWithAnotherKey() {
  const found = [];
  for (const fill of [1, 1, 2, 2]) {
    const database = await openDatabase("ada", key().fill(fill));
    found.push([database.wasUnreadable, await database.count("entries")]);
    await database.put("entries", 1, { pain: 1 });
    await database.lock();
    database.close();
  }
  disk.clear();
  return found;
}

const found = {};
const CASES = {
  changeWhileOthersAreSent,
  changeOnItsWay,
  changeWhatAnotherTabSent,
  changeWhatWasRefused,
  lateRevocation: () => lateAnswer(401, "device-revoked"),
  lateErasure: () => lateAnswer(410, "account-erased"),
  proxyAnswer,
  signOutBesideATabThatSleeps,
  signOutAfterARevocation,
  revokedInAnotherTab,
  streamThatWentOn,
  signInWithAnotherKey,
};
for (const [name, play] of Object.entries(CASES)) {
  found[name] = await play();
}
console.log(JSON.stringify(found));
process.exit(0);
