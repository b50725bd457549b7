/** Record: the strap, and what it says now. */

import { fetchAnswer, findAnswer } from "../answers.js";
import { button, element, fold, heading, replace } from "../dom.js";
import { count, formatNumber, t } from "../i18n.js";
import { HAS_BLUETOOTH, findPlatform } from "../platform.js";
import { pageLink } from "./view.js";

/** @typedef {import('./view.js').App} App */

const EVENING_HOUR = 19; // whoever goes to bed early starts it before
const MORNING_HOUR = 5;
const CONSENTS = "/v1/consents";
const CONSENT_MS = 3_000; // the net may be slow: what is recorded then waits on the phone
const CONTACT = { true: "record.contactYes", false: "record.contactNo" };

/** @type {import('./view.js').View} */
export function openRecord(app, place, signal) {
  if (!HAS_BLUETOOTH) {
    replace(place, heading(t("record.title")), ...withoutBluetooth());
    return;
  }
  const { recorder } = app;
  const state = element("p", { class: "state" });
  const message = element("p", { role: "status", class: "problem" });
  const heart = element("p", { class: "big" });
  const facts = element("dl", { class: "facts" });
  const start = button(t("record.start"), () => void recorder.start({ showAll: false }), {
    class: "main",
  });
  const stop = button(t("record.stop"), () => void recorder.stop(), { class: "main" });
  const others = fold(
    t("record.all"),
    element("p", {}, t("record.allWords")),
    button(t("record.start"), () => void recorder.start({ showAll: true }), {
      "aria-label": t("record.all"),
      class: "quiet",
    }),
  );
  const consent = element(
    "div",
    { class: "hint" },
    element("p", {}, t("record.consent")),
    pageLink("consents", t("state.consentLink")),
  );
  /** Whether the person agreed to keeping; null until that is known. @type {boolean | null} */
  let isAgreed = null;
  const evening = element("p", { class: "hint" }, t("record.evening"));
  const screenOn = element("p", { class: "muted" }, t("record.screenOn"));

  function draw() {
    const { state: now } = recorder;
    const isIdle = now === "idle" || now === "blocked";
    state.textContent = t(`record.${now}`);
    const said = recorder.message ? t(recorder.message.key, recorder.message.values) : "";
    if (message.textContent !== said) message.textContent = said;
    const focused = document.activeElement;
    start.hidden = !isIdle || isAgreed !== true;
    others.hidden = start.hidden;
    consent.hidden = !isIdle || isAgreed !== false;
    stop.hidden = isIdle || now === "choosing";
    if (focused === start && start.hidden && !stop.hidden) stop.focus();
    if (focused === stop && stop.hidden && !start.hidden) start.focus();
    evening.hidden = !isEvening(new Date());
    screenOn.hidden = isIdle;
    heart.hidden = isIdle || now === "choosing" || now === "connecting";
    replace(heart, ...heartParts(recorder));
    replace(facts, ...factParts(recorder, isIdle));
  }

  // No strap is looked for before there is a place for what it sends.
  async function askConsent() {
    isAgreed = await findAgreement(app, isAgreed);
    if (!signal.aborted) draw();
  }

  recorder.addEventListener("changed", draw, { signal });
  document.addEventListener("visibilitychange", () => void askConsent(), { signal });
  void askConsent();
  draw();
  replace(
    place,
    heading(t("record.title")),
    state,
    message,
    heart,
    consent,
    evening,
    start,
    stop,
    facts,
    screenOn,
    others,
  );
}

/**
 * Whether the person agreed to keeping, as the server says; without it what it said last; where it
 * never did, yes: it decides when beats are sent.
 * @param {App} app
 * @param {boolean | null} before
 * @returns {Promise<boolean>}
 */
async function findAgreement(app, before) {
  const late = new Promise((resolve) => setTimeout(() => resolve(null), CONSENT_MS));
  const asked = fetchAnswer(app.database, CONSENTS, ({ keeping }) => keeping).catch(() => null);
  const found =
    (await Promise.race([asked, late])) ??
    (await findAnswer(app.database, CONSENTS).catch(() => null));
  return found ? found.value === "agreed" : (before ?? true);
}

/** @param {Date} now */
export function isEvening(now) {
  const hour = now.getHours();
  return hour >= EVENING_HOUR || hour < MORNING_HOUR;
}

/** @param {App['recorder']} recorder */
function heartParts(recorder) {
  const rate = recorder.heartRate;
  if (rate === null || rate === undefined || rate <= 0) {
    return [element("span", { class: "muted" }, t("record.noHeart"))];
  }
  return [
    element("strong", {}, formatNumber(rate)),
    element("span", { class: "muted" }, ` ${t("record.heartUnit")}`),
  ];
}

/**
 * @param {App['recorder']} recorder
 * @param {boolean} isIdle
 */
function factParts(recorder, isIdle) {
  /** @type {[string, string][]} */
  const rows = [];
  if (!isIdle && recorder.strapName) rows.push([t("record.strap"), recorder.strapName]);
  if (!isIdle && recorder.state === "recording") {
    const key = CONTACT[/** @type {'true' | 'false'} */ (String(recorder.contact))];
    rows.push([t("record.contact"), t(key ?? "record.contactUnknown")]);
  }
  if (!isIdle && typeof recorder.battery === "number") {
    rows.push([
      t("record.battery"),
      t("record.percent", { number: formatNumber(recorder.battery) }),
    ]);
  }
  const { waiting, hoursThatFit } = recorder;
  rows.push([
    t("record.waiting"),
    waiting === 0 ? t("record.waitingNone") : count("record.waitingSome", waiting),
  ]);
  if (typeof hoursThatFit === "number") {
    // Browsers tell at most an upper bound (docs/evidence/phone.md): no exact large number.
    const room =
      hoursThatFit > 200 ? t("record.roomWeeks") : count("record.roomHours", Math.floor(hoursThatFit));
    rows.push([t("record.room"), room]);
  }
  return rows.map(([name, value]) =>
    element("div", {}, element("dt", {}, name), element("dd", {}, value)),
  );
}

function withoutBluetooth() {
  const platform = findPlatform();
  const why = platform === "apple" || platform === "firefox" ? platform : "other";
  return [
    element("h2", {}, t("record.noBluetooth")),
    element("p", {}, t(`record.${why}`)),
    element("h2", {}, t("record.works")),
    element("p", {}, t("record.worksWords")),
  ];
}
