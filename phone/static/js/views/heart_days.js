/** The stress index in words: the last day that has one, its hours, or when there will be one. */

import { OfflineError, ProblemError, requestJson } from "../api.js";
import { fetchAnswer, findAnswer } from "../answers.js";
import { element, fold, replace } from "../dom.js";
import { formatDay, formatMoment, formatNumber, isSameDay, t } from "../i18n.js";
import { isoWithOffset } from "../moments.js";

const DAYS = 7;
const HOUR_S = 3600;
const KEY = "stress index"; // one entry of the cache, while the address changes each day

/** @typedef {{value: number, low: number, high: number}} Index */

/**
 * @param {import('./view.js').App} app
 * @param {HTMLElement} place
 * @param {AbortSignal} signal
 */
export async function showHeartDays(app, place, signal) {
  const cached = await findAnswer(app.database, KEY);
  if (signal.aborted) return;
  if (cached) replace(place, ...parts(cached));
  const end = new Date();
  const start = new Date(end.getFullYear(), end.getMonth(), end.getDate() - DAYS + 1);
  const range = new URLSearchParams({
    start: isoWithOffset(start),
    end: isoWithOffset(end),
    bucket_s: String(HOUR_S),
  });
  try {
    const baseline = await requestJson("GET", "/v1/stress/baseline");
    const fresh = await fetchAnswer(
      app.database,
      `/v1/hrv/trend?${range}`,
      (trend) => keep(trend, baseline),
      KEY,
    );
    if (signal.aborted) return;
    const isOpen = place.querySelector("details")?.open ?? false; // what is read stays unfolded
    replace(place, ...parts(fresh));
    const hours = place.querySelector("details");
    if (hours) hours.open = isOpen;
  } catch (error) {
    // Without net, or before keeping is agreed to: what this phone has, or nothing.
    if (!(error instanceof OfflineError || error instanceof ProblemError)) throw error;
  }
}

/**
 * @param {any} trend as `GET /v1/hrv/trend` gives it
 * @param {any} baseline as `GET /v1/stress/baseline` gives it
 */
function keep(trend, baseline) {
  const known = trend.days.filter((/** @type {any} */ item) => item.stress_index.value !== null);
  const day = known.at(-1) ?? null;
  const hours = trend.buckets.filter(
    (/** @type {any} */ item) =>
      day !== null &&
      item.stress_index.value !== null &&
      isSameDay(new Date(item.start), new Date(`${day.day}T12:00`)),
  );
  return {
    day: day && { day: day.day, ...pick(day.stress_index) },
    hours: hours.map((/** @type {any} */ item) => ({
      start: item.start,
      ...pick(item.stress_index),
    })),
    isWorn: trend.windows > 0,
    worn: baseline.worn_days,
    needed: baseline.min_days,
    isSimulated: trend.origins.includes("simulated"),
  };
}

/** @param {any} index @returns {Index} */
function pick({ value, low, high }) {
  return { value, low, high };
}

/** @param {import('../answers.js').Answer<ReturnType<typeof keep>>} answer */
function parts({ value, asOf }) {
  const { day, hours, isWorn, worn, needed } = value;
  const title = element("h2", {}, t("heart.title"));
  if (day === null) {
    if (!isWorn && worn === 0) return []; // somebody without a strap is told nothing of it
    const words = worn < needed ? t("heart.coming", { days: worn }) : t("heart.none");
    return [title, element("p", {}, words)];
  }
  const noon = new Date(`${day.day}T12:00`);
  const isToday = isSameDay(noon, new Date());
  const sentence = t("heart.day", {
    day: isToday ? t("heart.today") : t("heart.on", { day: formatDay(noon) }),
    ...calmer(day),
  });
  return [
    title,
    element("p", {}, sentence),
    hours.length > 0 ? fold(t("heart.hours"), table(hours)) : null,
    element("p", { class: "muted" }, t("heart.meaning")),
    value.isSimulated ? element("p", { class: "muted" }, t("app.simulated")) : null,
    element("p", { class: "muted" }, t("app.asOf", { moment: formatMoment(new Date(asOf)) })),
  ];
}

/** @param {({start: string} & Index)[]} hours */
function table(hours) {
  const head = [t("heart.hour"), t("heart.calmer"), t("heart.interval")];
  return element(
    "table",
    {},
    element(
      "thead",
      {},
      element("tr", {}, ...head.map((words) => element("th", { scope: "col" }, words))),
    ),
    element(
      "tbody",
      {},
      ...hours.map((hour) => {
        const { share, low, high } = calmer(hour);
        return element(
          "tr",
          {},
          element("th", { scope: "row" }, `${new Date(hour.start).getHours()}:00`),
          element("td", {}, share),
          element("td", {}, t("see.between", { low, high })),
        );
      }),
    ),
  );
}

/** Of 100 usual moments, those that were less calm: an index of 30 is 70. @param {Index} index */
function calmer({ value, low, high }) {
  return {
    share: formatNumber(100 - value),
    low: formatNumber(100 - high),
    high: formatNumber(100 - low),
  };
}
