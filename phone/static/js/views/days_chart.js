/** A small chart of the means of days. Shape and dash tell the two apart, not only the colour. */

import { svg } from "../dom.js";
import { formatDay, t } from "../i18n.js";

/** @typedef {{day: string, pain: number | null, stress: number | null, count: number}} DayMean */

const WIDTH = 320;
const HEIGHT = 150;
const LEFT = 22;
const RIGHT = 10;
const TOP = 8;
const BOTTOM = 24;
const DOT = 4;

/**
 * @param {string[]} days `YYYY-MM-DD`
 * @param {{about: string, pain: number | null, stress: number | null}[]} ratings
 * @returns {DayMean[]}
 */
export function summariseDays(days, ratings) {
  return days.map((day) => {
    const shown = ratings.filter((rating) => rating.about.startsWith(day));
    const count = shown.length;
    /** @param {'pain' | 'stress'} name */
    const mean = (name) => {
      const values = shown.map((rating) => rating[name]).filter((value) => value !== null);
      return values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : null;
    };
    return { day, pain: mean("pain"), stress: mean("stress"), count };
  });
}

/** @param {DayMean[]} means */
export function drawDays(means) {
  const step = (WIDTH - LEFT - RIGHT) / (means.length - 1);
  const x = (/** @type {number} */ place) => LEFT + step * place;
  const y = (/** @type {number} */ value) => TOP + ((10 - value) / 10) * (HEIGHT - TOP - BOTTOM);
  const grid = [0, 5, 10].flatMap((value) => [
    svg("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value), class: "grid" }),
    svg("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, String(value)),
  ]);
  const ends = [
    [0, "start"],
    [means.length - 1, "end"],
  ].map(([place, anchor]) =>
    svg(
      "text",
      { x: x(Number(place)), y: HEIGHT - 6, "text-anchor": anchor },
      formatDay(new Date(`${means[Number(place)].day}T12:00`)),
    ),
  );
  return svg(
    "svg",
    {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: "img",
      "aria-label": t("see.chartLabel"),
      class: "chart",
    },
    ...grid,
    ...ends,
    ...series(means, "pain", x, y),
    ...series(means, "stress", x, y),
  );
}

/**
 * Days without a rating are a gap: no line goes over them.
 * @param {DayMean[]} means
 * @param {'pain' | 'stress'} name
 * @param {(place: number) => number} x
 * @param {(value: number) => number} y
 */
function series(means, name, x, y) {
  const marks = [];
  let path = "";
  let isOn = false;
  for (const [place, mean] of means.entries()) {
    const value = mean[name];
    if (value === null) {
      isOn = false;
      continue;
    }
    path += `${isOn ? "L" : "M"}${x(place).toFixed(1)} ${y(value).toFixed(1)}`;
    isOn = true;
    marks.push(
      name === "pain"
        ? svg("circle", { cx: x(place), cy: y(value), r: DOT })
        : svg("rect", { x: x(place) - DOT, y: y(value) - DOT, width: 2 * DOT, height: 2 * DOT }),
    );
  }
  return [svg("g", { class: name }, svg("path", { d: path }), ...marks)];
}
