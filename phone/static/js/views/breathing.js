/** Slow breathing: a circle that grows and shrinks at one's own pace. */

import { announce, button, element, heading, replace } from "../dom.js";
import { formatNumber, t } from "../i18n.js";
import { isoWithOffset } from "../moments.js";
import { BreathPacer } from "../practice_clock.js";
import { loadOptions, optionParts, runPractice } from "./practice_run.js";
import { backLink } from "./view.js";

/** @typedef {import('./view.js').App} App */
/** @typedef {import('./practice_run.js').Options} Options */

const MIN_PACE = 4;
const MAX_PACE = 8;
const PACE_STEP = 0.5;
const MIN_PRACTICE_MS = 30_000; // shorter ones are not kept
const LENGTHS = [3, 5, 10, 0];
const SMALL = 0.55;

/**
 * @param {App} app
 * @param {HTMLElement} place
 * @param {AbortSignal} signal
 */
export async function openBreathing(app, place, signal) {
  const options = await loadOptions(app);
  if (signal.aborted) return;
  const chosen = element("output", {}, paceWords(options.pace));
  const { parts, keep } = optionParts(app, options, LENGTHS, signal);
  const pace = element("input", {
    type: "range",
    min: MIN_PACE,
    max: MAX_PACE,
    step: PACE_STEP,
    value: options.pace,
    oninput: () => {
      options.pace = Number(pace.value);
      chosen.textContent = paceWords(options.pace);
      keep();
    },
  });
  const title = heading(t("practise.breathing"));
  replace(
    place,
    backLink("#practise"),
    title,
    element("p", {}, t("breathing.words")),
    element("label", {}, t("breathing.pace"), pace, chosen),
    ...parts,
    button(t("practise.begin"), () => begin(app, place, signal, options), { class: "main" }),
    element("p", { class: "muted" }, t("breathing.caution")),
  );
  title.focus();
}

/**
 * @param {App} app
 * @param {HTMLElement} place
 * @param {AbortSignal} signal
 * @param {Options} options
 */
function begin(app, place, signal, options) {
  const firstPace = options.pace;
  const pacer = new BreathPacer(firstPace);
  const word = element("span", { class: "word" });
  const circle = element("div", { class: "circle" });
  const paceNow = element("p", { class: "muted pace" }, paceWords(pacer.pace));
  const stage = element(
    "div",
    { class: "stage" },
    heading(t("practise.breathing")),
    element("div", { class: "breath", "aria-hidden": "true" }, circle, word),
    paceNow,
  );
  const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const motion = isStill ? null : animate(circle, firstPace);

  /** @param {number} change */
  function changePace(change) {
    pacer.pace = Math.min(MAX_PACE, Math.max(MIN_PACE, pacer.pace + change));
    motion?.updatePlaybackRate(pacer.pace / firstPace);
    paceNow.textContent = paceWords(pacer.pace);
    announce(paceWords(pacer.pace));
  }

  /** @type {boolean | null} */
  let wasIn = null;
  runPractice(app, place, signal, options, {
    stage,
    seconds: options.minutes === 0 ? null : 60 * options.minutes,
    controls: [
      button(t("practise.slower"), () => changePace(-PACE_STEP), { class: "quiet" }),
      button(t("practise.quicker"), () => changePace(PACE_STEP), { class: "quiet" }),
    ],
    tick(passedMs, cue) {
      const { isIn } = pacer.phaseAt(passedMs);
      if (isIn === wasIn) return;
      wasIn = isIn;
      word.textContent = t(isIn ? "breathing.in" : "breathing.out");
      if (isIn) cue(t("breathing.sayIn"), 392, [60]);
      else cue(t("breathing.sayOut"), 294, [40, 80, 40]);
    },
    pause(isRunning) {
      if (isRunning) motion?.play();
      else motion?.pause();
    },
    end(began, ended, isLeft) {
      motion?.cancel();
      const isKept = ended.getTime() - began.getTime() >= MIN_PRACTICE_MS;
      if (!isKept) {
        if (!isLeft) showEnd(place, "practise.short");
        return;
      }
      const content = {
        kind: "paced breathing",
        start: isoWithOffset(began),
        end: isoWithOffset(ended),
        breaths_per_min: pacer.pace,
      };
      const say = (/** @type {string} */ words) => {
        if (!isLeft && !signal.aborted) showEnd(place, words);
      };
      app.entries.practise(content).then(
        () => say("practise.kept"), // not before it is on the disk
        (error) => {
          console.error(error);
          say("app.somethingWrong");
        },
      );
    },
  });
}

/**
 * @param {HTMLElement} circle
 * @param {number} pace
 */
function animate(circle, pace) {
  const small = { transform: `scale(${SMALL})`, easing: "ease-in-out" };
  return circle.animate(
    [small, { transform: "scale(1)", easing: "ease-in-out", offset: 0.4 }, small],
    { duration: 60_000 / pace, iterations: Infinity },
  );
}

/**
 * @param {HTMLElement} place
 * @param {string} words
 */
function showEnd(place, words) {
  const title = heading(t("practise.over"));
  replace(
    place,
    title,
    element("p", {}, t(words)),
    element("a", { class: "button main", href: "#practise" }, t("practise.done")),
  );
  title.focus();
}

/** @param {number} pace */
function paceWords(pace) {
  return t("breathing.paceNow", { pace: formatNumber(pace, 1) });
}
