/** Somatic tracking, guided: arriving, mindfulness, safety, ease. */

import { announce, button, element, fold, heading, replace } from "../dom.js";
import { list, t } from "../i18n.js";
import { isoWithOffset } from "../moments.js";
import { findStep } from "../practice_clock.js";
import { createScale } from "../scale.js";
import { loadOptions, optionParts, runPractice } from "./practice_run.js";
import { backLink } from "./view.js";

/** @typedef {import('./view.js').App} App */

const LENGTHS = [5, 7, 10];
const SLOWER = 1.25; // the time that is left grows by this at each press
const MAX_S = 3600;

/** The steps, and the share of the time that each takes. */
function loadSteps() {
  return [
    { title: t("tracking.arriving"), length: 0.15, words: list("tracking.arrivingWords") },
    { title: t("tracking.mindfulness"), length: 0.3, words: list("tracking.mindfulnessWords") },
    { title: t("tracking.safety"), length: 0.3, words: list("tracking.safetyWords") },
    { title: t("tracking.ease"), length: 0.25, words: list("tracking.easeWords") },
  ];
}

/**
 * @param {App} app
 * @param {HTMLElement} place
 * @param {AbortSignal} signal
 */
export async function openTracking(app, place, signal) {
  const options = await loadOptions(app);
  if (signal.aborted) return;
  const { parts } = optionParts(app, options, LENGTHS, signal);
  const pain = createScale(t("tracking.painBefore"), { isOptional: true });
  const stress = createScale(t("tracking.stressBefore"), { isOptional: true });
  const title = heading(t("practise.tracking"));
  replace(
    place,
    backLink("#practise"),
    title,
    element("p", {}, t("tracking.words")),
    ...parts,
    fold(t("tracking.before"), pain.root, stress.root),
    button(
      t("practise.begin"),
      () => {
        begin(app, place, signal, options, {
          pain_before: pain.value,
          stress_before: stress.value,
        });
      },
      { class: "main" },
    ),
    element("p", { class: "muted" }, t("tracking.caution")),
  );
  title.focus();
}

/**
 * @param {App} app
 * @param {HTMLElement} place
 * @param {AbortSignal} signal
 * @param {import('./practice_run.js').Options} options
 * @param {{pain_before: number | null, stress_before: number | null}} before
 */
function begin(app, place, signal, options, before) {
  const steps = loadSteps();
  const name = element("h2", {});
  const words = element("p", { class: "guide", "aria-live": "polite" });
  const stage = element("div", { class: "stage" }, heading(t("practise.tracking")), name, words);
  // Where in the words one was at `atMs`, and how fast they go from there.
  let fraction = 0;
  let atMs = 0;
  let nowMs = 0;
  let pace = 1 / (60_000 * options.minutes);

  /** Stretch the time that is left; the words go on from where they are. */
  function slowDown() {
    fraction += (nowMs - atMs) * pace;
    atMs = nowMs;
    const leftMs = Math.min(((1 - fraction) / pace) * SLOWER, 1000 * MAX_S - nowMs);
    pace = (1 - fraction) / leftMs;
    practice.seconds = (nowMs + leftMs) / 1000;
    announce(t("practise.slower"));
  }

  /** Too much? On to what is pleasant: the last step, in the time that it has. */
  function goToEase() {
    const ease = 1 - steps[steps.length - 1].length;
    if (fraction + (nowMs - atMs) * pace >= ease) return;
    fraction = ease;
    atMs = nowMs;
    practice.seconds = (nowMs + (1 - ease) / pace) / 1000;
  }

  /** @type {import('./practice_run.js').Practice} */
  const practice = {
    stage,
    seconds: 60 * options.minutes,
    controls: [
      button(t("practise.slower"), slowDown, { class: "quiet" }),
      button(t("practise.smaller"), goToEase, {
        class: "quiet",
        "aria-label": t("practise.smallerTitle"),
      }),
    ],
    tick(passedMs, cue) {
      nowMs = passedMs;
      const now = findStep(steps, Math.min(fraction + (passedMs - atMs) * pace, 1));
      if (now.words === words.textContent) return;
      name.textContent = now.title;
      words.textContent = now.words;
      cue(now.words, 392, [80]);
    },
    end(began, ended, isLeft) {
      if (!isLeft) showEnd(app, place, signal, { began, ended, before });
    },
  };
  runPractice(app, place, signal, options, practice);
}

/**
 * @param {App} app
 * @param {HTMLElement} place
 * @param {AbortSignal} signal
 * @param {{began: Date, ended: Date, before: {pain_before: number | null, stress_before: number | null}}} done
 */
function showEnd(app, place, signal, { began, ended, before }) {
  const pain = createScale(t("tracking.painAfter"), { isOptional: true });
  const stress = createScale(t("tracking.stressAfter"), { isOptional: true });
  const title = heading(t("practise.over"));
  const leave = () => {
    location.hash = "#practise";
  };
  replace(
    place,
    title,
    pain.root,
    stress.root,
    button(
      t("practise.keep"),
      async () => {
        const atLeast = new Date(Math.max(ended.getTime(), began.getTime() + 1000));
        await app.entries.practise({
          kind: "somatic tracking",
          start: isoWithOffset(began),
          end: isoWithOffset(atLeast),
          ...before,
          pain_after: pain.value,
          stress_after: stress.value,
        });
        announce(t("practise.kept"));
        if (!signal.aborted) leave();
      },
      { class: "main" },
    ),
    button(t("practise.drop"), leave, { class: "quiet" }),
  );
  title.focus();
}
