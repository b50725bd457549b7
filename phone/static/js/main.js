/** The app: who is signed in, which view is open, and what is said above it. */

import { request } from "./api.js";
import { element, heading, replace } from "./dom.js";
import { EntryQueue } from "./entries.js";
import { LANGUAGE, t } from "./i18n.js";
import { drawNotices } from "./notices.js";
import { IS_SECURE } from "./platform.js";
import { PhoneRecorder } from "./recorder.js";
import { currentDatabase, currentSession, resumeSession, sessionEvents } from "./session.js";
import { findVersion, startUpdates, updates } from "./updates.js";
import { openMore } from "./views/more.js";
import { openPractise } from "./views/practise.js";
import { openRate } from "./views/rate.js";
import { openRecord } from "./views/record.js";
import { isRecording } from "./views/view.js";
import { openSee } from "./views/see.js";
import { openSignIn } from "./views/sign_in.js";

/** @typedef {import('./views/view.js').App} App */

/** @type {Record<string, import('./views/view.js').View>} */
const VIEWS = {
  rate: openRate,
  practise: openPractise,
  record: openRecord,
  see: openSee,
  more: openMore,
};

const place = /** @type {HTMLElement} */ (document.getElementById("view"));
const navigation = /** @type {HTMLElement} */ (document.getElementById("navigation"));
const notices = /** @type {HTMLElement} */ (document.getElementById("notices"));

/** @type {App | null} */
let app = null;
/** @type {App[]} those of sessions that were revoked while they recorded: of one person each */
let suspended = [];
let isRevoked = false;
let left = new AbortController();
/** The code of a sign-in that the address brought, and what is to be said there. */
let code = takeCode();
/** @type {string | undefined} */
let notice;

document.documentElement.lang = LANGUAGE;
document.title = t("app.name");
void start();

async function start() {
  if (!IS_SECURE) {
    replace(place, heading(t("app.name")), element("p", {}, t("app.needsHttps")));
    return;
  }
  addEventListener("unhandledrejection", (event) => showFailure(event.reason));
  addEventListener("beforeunload", (event) => {
    // The browser asks: what is only in memory would go with this page.
    if ([app, ...suspended].some((one) => one?.recorder.isUnwritten)) event.preventDefault();
  });
  addEventListener("hashchange", open);
  addEventListener("online", () => void app?.entries.send());
  addEventListener("offline", draw);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") void app?.entries.send();
  });
  document.addEventListener("signed-out", (event) => {
    const { isHeard } = /** @type {CustomEvent<{isHeard: boolean}>} */ (event).detail;
    notice = t(isHeard ? "signIn.signedOut" : "signIn.signedOutOffline");
    open();
  });
  sessionEvents.addEventListener("revoked", () => {
    isRevoked = true;
    notice = t("signIn.revoked");
  });
  sessionEvents.addEventListener("locked", () => (notice = t("signIn.revoked")));
  sessionEvents.addEventListener("erased", () => (notice = t("signIn.erased")));
  updates.addEventListener("changed", draw);
  try {
    await resumeSession();
  } catch {
    replace(place, heading(t("app.name")), element("p", {}, t("app.storageFailed")));
    return;
  }
  sessionEvents.addEventListener("changed", () => void changePerson());
  await changePerson();
  // After the first paint: the app that is there is seen before a newer one is looked for.
  await startUpdates(() =>
    [app, ...suspended].some(
      (one) => one && (isRecording(one.recorder) || one.recorder.isUnwritten),
    ),
  );
  if (app) app.version = await findVersion();
}

/** Begin with who signed in, or end with who is not signed in any more. */
async function changePerson() {
  const session = currentSession();
  const database = currentDatabase();
  if (app) {
    app.entries.close();
    // After a revocation a recording goes on, in memory, until the same person signs in again.
    if (isRevoked && (isRecording(app.recorder) || app.recorder.isUnwritten)) suspended.push(app);
    else await app.recorder.close();
    app = null;
    isRevoked = false;
  }
  if (!session || !database) {
    open();
    return;
  }
  const entries = new EntryQueue(database);
  const former = suspended.find((one) => one.database === database)?.recorder;
  suspended = suspended.filter((one) => one.database !== database);
  // Another person's strap is recorded no more under this one, but what came is dropped by nobody:
  // it is tried on, and goes to the disk once they sign in here.
  await Promise.all(suspended.map((one) => one.recorder.halt()));
  const recorder = former ?? new PhoneRecorder({ database, request });
  await entries.load();
  app = { session, database, entries, recorder, version: await findVersion() };
  notice = undefined;
  code = "";
  entries.addEventListener("changed", draw);
  if (!former) recorder.addEventListener("changed", draw);
  open();
  if (former) void former.sendNow();
  else await recorder.open();
  void entries.send();
}

/** Open the view that the address names. */
function open() {
  code = takeCode() || code;
  left.abort();
  left = new AbortController();
  const [name, argument = ""] = location.hash.slice(1).split("/");
  const key = name in VIEWS ? name : "rate";
  navigation.hidden = app === null;
  if (app) {
    drawNavigation(key);
    VIEWS[key](app, place, left.signal, argument);
  } else openSignIn(place, { code, notice });
  draw();
  scrollTo(0, 0);
  const title = place.querySelector("h1");
  if (title) {
    document.title = `${title.textContent} · ${t("app.name")}`;
    title.focus();
  }
}

/** @param {string} key of the view that is open */
function drawNavigation(key) {
  navigation.setAttribute("aria-label", t("nav.label"));
  replace(
    navigation,
    ...Object.keys(VIEWS).map((name) =>
      element(
        "a",
        { href: `#${name}`, "aria-current": name === key ? "page" : null },
        element("span", { class: `sign ${name}`, "aria-hidden": "true" }),
        t(`nav.${name}`),
      ),
    ),
  );
}

function draw() {
  drawNotices(notices, app, suspended);
}

/**
 * Take the code out of the address at once, so that it stays in no history.
 * @returns {string}
 */
function takeCode() {
  const found = /^#code=([^&]*)/.exec(location.hash);
  if (!found) return "";
  history.replaceState(null, "", location.pathname + location.search);
  try {
    return decodeURIComponent(found[1]);
  } catch {
    return ""; // not one of ours
  }
}

/** @param {unknown} reason */
function showFailure(reason) {
  // A session that ended meanwhile is told of by the sign-in view.
  const name = reason instanceof Error ? reason.name : "";
  if (name === "SessionEndedError" || name === "DatabaseLockedError") return;
  console.error(reason);
  notices.append(element("p", { role: "alert", class: "notice" }, t("app.somethingWrong")));
}
