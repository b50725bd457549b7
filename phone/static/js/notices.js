/** What is said above every view: short, and nothing when all is well. */

import { button, element, replace } from "./dom.js";
import { count, formatNumber, t } from "./i18n.js";
import { applyUpdate, hasUpdate, isComing, mustWait } from "./updates.js";
import { isRecording, pageLink, readHeartRate } from "./views/view.js";

/** @typedef {import('./views/view.js').App} App */

let drawn = "";

/**
 * @param {HTMLElement} place
 * @param {App | null} app
 * @param {App[]} suspended of persons that were signed in before
 */
export function drawNotices(place, app, suspended) {
  const lines = [...findLines(app), ...findMemoryLines(suspended)];
  const now = JSON.stringify(lines.map((line) => line.words));
  if (now === drawn) return; // buttons keep the focus
  drawn = now;
  replace(
    place,
    ...lines.map(({ words, action, isQuiet }) =>
      element(
        "p",
        { class: isQuiet ? "notice quiet" : "notice" },
        words,
        action ? " " : null,
        action,
      ),
    ),
  );
}

/**
 * What would go with this page, of persons that are not signed in now.
 * @param {App[]} suspended
 * @returns {{words: string, action?: Node, isQuiet?: boolean}[]}
 */
function findMemoryLines(suspended) {
  return suspended
    .filter(({ recorder }) => recorder.isUnwritten)
    .map(({ recorder, session }) => ({
      words: count("state.inMemory", recorder.unwritten, { name: session.person.name }),
    }));
}

/**
 * @param {App | null} app
 * @returns {{words: string, action?: Node, isQuiet?: boolean}[]}
 */
function findLines(app) {
  /** @type {{words: string, action?: Node, isQuiet?: boolean}[]} */
  const lines = [];
  if (hasUpdate()) {
    if (isComing()) lines.push({ words: t("app.updateComing") });
    else if (mustWait()) lines.push({ words: t("app.updateWaits") });
    else lines.push({ words: t("app.update"), action: button(t("app.updateNow"), applyUpdate) });
  }
  if (app === null) return lines;
  const { database, entries, recorder } = app;
  if (database.wasUnreadable) lines.push({ words: t("state.unreadable") });
  if (isRecording(recorder) && !location.hash.startsWith("#record")) {
    const rate = readHeartRate(recorder);
    const words =
      rate === null
        ? t(`record.${recorder.state}`)
        : t("state.recordingHeart", { rate: formatNumber(rate) });
    lines.push({ words, isQuiet: true });
  }
  const refused = entries.refused.length;
  if (entries.obstacle === "consent") {
    lines.push({
      words: t("state.consent"),
      action: pageLink("consents", t("state.consentLink")),
    });
  } else if (!navigator.onLine || entries.obstacle === "offline") {
    lines.push({ words: t("state.offline"), isQuiet: true });
  }
  if (refused > 0) lines.push({ words: t("state.refused") });
  const waiting = entries.waiting - refused;
  if (waiting > 0) lines.push({ words: count("state.waiting", waiting), isQuiet: true });
  return lines;
}
