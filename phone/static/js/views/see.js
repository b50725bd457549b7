/** See: today, the last two weeks, and the answer. */

import { OfflineError, ProblemError } from "../api.js";
import { fetchAnswer, findAnswer } from "../answers.js";
import { element, fold, heading, replace } from "../dom.js";
import { count, formatDay, formatMoment, formatNumber, isSameDay, t } from "../i18n.js";
import { lastDays } from "../moments.js";
import { drawDays, summariseDays } from "./days_chart.js";
import { showHeartDays } from "./heart_days.js";
import { pageLink } from "./view.js";

/** @typedef {import('./view.js').App} App */
/** @typedef {ReturnType<import('../entries.js').EntryQueue['ratings']>} Ratings */

const DAYS = 14;
const LINK = "/v1/link";

/** @type {import('./view.js').View} */
export function openSee(app, place, signal) {
  const today = element("section", {});
  const weeks = element("section", {});
  const answer = element("section", {}, element("h2", {}, t("see.answer")));
  const heart = element("section", { "aria-live": "polite" });
  const asOf = element("p", { class: "muted" });
  let drawn = "";
  function draw() {
    const ratings = app.entries.ratings();
    asOf.textContent = app.entries.asOf
      ? t("app.asOf", { moment: formatMoment(new Date(app.entries.asOf)) })
      : "";
    const now = JSON.stringify(ratings);
    if (now === drawn) return; // an open table stays open
    drawn = now;
    replace(today, ...todayParts(ratings));
    replace(weeks, ...weekParts(ratings));
  }
  app.entries.addEventListener("changed", draw, { signal });
  draw();
  replace(
    place,
    heading(t("see.title")),
    weeks,
    today,
    asOf,
    heart,
    answer,
    element("h2", {}, t("see.more")),
    element("p", { class: "muted" }, t("see.moreWords")),
    element(
      "p",
      { class: "links" },
      pageLink("link", t("see.linkPage")),
      pageLink("trend", t("see.trendPage")),
      pageLink("course", t("see.coursePage")),
    ),
  );
  void showAnswer(app, answer, signal);
  void showHeartDays(app, heart, signal);
  void app.entries.send();
}

/** @param {Ratings} ratings */
function todayParts(ratings) {
  const shown = ratings.filter((rating) => isSameDay(new Date(rating.about), new Date()));
  const words =
    shown.length === 0
      ? t("see.todayNone")
      : count("see.todaySome", shown.length, {
          pain: meanWords(numbersOf(shown, "pain")),
          stress: meanWords(numbersOf(shown, "stress")),
        });
  return [element("h2", {}, t("see.today")), element("p", {}, words)];
}

/** @param {Ratings} ratings */
function weekParts(ratings) {
  const days = lastDays(DAYS);
  const shown = ratings.filter((rating) => days.includes(rating.about.slice(0, 10)));
  if (shown.length === 0) return [element("p", {}, t("see.none"))];
  const means = summariseDays(days, shown);
  const pains = numbersOf(shown, "pain");
  const stresses = numbersOf(shown, "stress");
  const sentence = t("see.sentence", {
    ratings: count("see.ratings", shown.length),
    days: count("see.days", means.filter((day) => day.count > 0).length),
    pain: rangeWords(pains),
    stress: rangeWords(stresses),
  });
  return [
    element("p", {}, sentence),
    element(
      "figure",
      {},
      drawDays(means),
      element(
        "figcaption",
        {},
        element("span", { class: "key pain" }, t("see.painLine")),
        element("span", { class: "key stress" }, t("see.stressLine")),
        element("span", { class: "muted" }, t("see.chart")),
      ),
    ),
    fold(t("see.table"), table(means)),
  ];
}

/** @param {import('./days_chart.js').DayMean[]} means */
function table(means) {
  const head = [t("see.day"), t("rate.pain"), t("rate.stress"), t("see.count")];
  const rows = means
    .filter((day) => day.count > 0)
    .map((day) =>
      element(
        "tr",
        {},
        element("th", { scope: "row" }, formatDay(new Date(`${day.day}T12:00`))),
        ...[day.pain, day.stress, day.count].map((value) =>
          element("td", {}, value === null ? "" : formatNumber(value, 1)),
        ),
      ),
    );
  return element(
    "table",
    {},
    element(
      "thead",
      {},
      element("tr", {}, ...head.map((words) => element("th", { scope: "col" }, words))),
    ),
    element("tbody", {}, ...rows),
  );
}

/**
 * Show the answer that this phone has, then the one of now.
 * @param {App} app
 * @param {HTMLElement} place
 * @param {AbortSignal} signal
 */
async function showAnswer(app, place, signal) {
  const title = element("h2", {}, t("see.answer"));
  const cached = await findAnswer(app.database, LINK);
  if (signal.aborted) return;
  if (cached) replace(place, title, ...answerParts(cached));
  else replace(place, title, element("p", { class: "muted" }, t("app.loading")));
  try {
    const fresh = await fetchAnswer(app.database, LINK, keepAnswer);
    if (!signal.aborted) replace(place, title, ...answerParts(fresh));
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof ProblemError && error.kind === "consent") {
      const link = pageLink("consents", t("state.consentLink"));
      replace(place, title, element("p", {}, t("see.answerConsent")), link);
    } else if (error instanceof OfflineError || error instanceof ProblemError) {
      if (!cached) replace(place, title, element("p", {}, t("see.answerNone")));
    }
  }
}

/** @param {any} report as `GET /v1/link` gives it */
function keepAnswer({ stress, simulated }) {
  const { sentence, caveats } = stress;
  return { sentence, caveats, simulated };
}

/** @param {import('../answers.js').Answer<ReturnType<typeof keepAnswer>>} answer */
function answerParts({ value, asOf }) {
  const caveats = value.caveats.map((/** @type {string} */ words) => element("p", {}, words));
  return [ // the sentence has the interval and the number of ratings
    element("p", { class: "answer" }, value.sentence),
    caveats.length > 0 ? fold(t("see.sure"), ...caveats) : null,
    value.simulated ? element("p", { class: "muted" }, t("app.simulated")) : null,
    element("p", { class: "muted" }, t("app.asOf", { moment: formatMoment(new Date(asOf)) })),
  ];
}

/** @param {number[]} values */
function rangeWords(values) {
  if (values.length === 0) return t("see.notAsked");
  const low = formatNumber(Math.min(...values));
  const high = formatNumber(Math.max(...values));
  return low === high ? low : t("see.between", { low, high });
}

/**
 * @param {Ratings} ratings
 * @param {'pain' | 'stress'} name
 */
function numbersOf(ratings, name) {
  return ratings.map((rating) => rating[name]).filter((value) => value !== null);
}

/** @param {number[]} values */
function meanWords(values) {
  return values.length === 0 ? t("see.notAsked") : formatNumber(mean(values), 1);
}

/** @param {number[]} values */
function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
