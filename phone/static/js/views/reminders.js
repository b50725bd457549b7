/** Reminders, a part of More: begin, pause, end. */

import { OfflineError } from "../api.js";
import { button, element, replace } from "../dom.js";
import { t } from "../i18n.js";
import { askApart, askByHeart, beginReminders, endReminders, loadReminders, pauseReminders } from "../prompts.js";

/** @typedef {import('./view.js').App} App */

/**
 * @param {App} app
 * @returns {HTMLElement}
 */
export function remindersPart(app) {
  const place = element("section", { "aria-labelledby": "reminders-title", class: "reminders" });
  void draw(app, place, "");
  return place;
}

/**
 * @param {App} app
 * @param {HTMLElement} place
 * @param {string} said what came of the last press
 */
async function draw(app, place, said) {
  const title = element("h2", { id: "reminders-title" }, t("reminders.title"));
  let found;
  try {
    found = await loadReminders();
  } catch (error) {
    if (!(error instanceof OfflineError)) throw error;
    replace(place, title, element("p", { class: "muted" }, t("reminders.offline")));
    return;
  }
  const again = async (/** @type {string} */ words) => draw(app, place, words);
  const status = element("p", { role: "status" }, said);
  if (!found.enabled) {
    const begin = async () => {
      const way = await beginReminders(found, app.session.device.name);
      await again(t(`reminders.begun.${way}`));
    };
    replace(
      place,
      title,
      element("p", {}, t("reminders.words")),
      button(t("reminders.begin"), begin, { class: "main" }),
      status,
    );
    return;
  }
  const today = new Date().toLocaleDateString("sv-SE"); // as 2026-03-29
  const isPaused = found.pauses.some((pause) => pause.first <= today && today <= pause.last);
  const pause = async () => {
    await pauseReminders(isPaused ? 0 : 1);
    await again(t(isPaused ? "reminders.goOnSaid" : "reminders.notTodaySaid"));
  };
  const end = async () => {
    await endReminders();
    await again(t("reminders.ended"));
  };
  const byHeart = async () => {
    await askByHeart(!found.by_heart);
    await again(t(found.by_heart ? "reminders.heartOffSaid" : "reminders.heartOnSaid"));
  };
  // Beside random questions alone.
  const heart = found.random_a_day
    ? [button(t(found.by_heart ? "reminders.heartOff" : "reminders.heartOn"), byHeart)]
    : [];
  const apart = async () => {
    await askApart(!found.asks_apart);
    await again(t(found.asks_apart ? "reminders.apartOffSaid" : "reminders.apartOnSaid"));
  };
  // A pair is two random questions.
  const pairs =
    found.random_a_day > 1 || found.asks_apart
      ? [
          // What is agreed to is said before.
          found.asks_apart ? null : element("p", { class: "muted" }, t("reminders.apartWords")),
          button(t(found.asks_apart ? "reminders.apartOff" : "reminders.apartOn"), apart),
        ]
      : [];
  replace(
    place,
    title,
    element("p", {}, t("reminders.on", { number: found.random_a_day })),
    button(t(isPaused ? "reminders.goOn" : "reminders.notToday"), pause),
    ...heart,
    ...pairs,
    button(t("reminders.end"), end, { class: "quiet" }),
    status,
  );
}
