/** Practices guided by words: somatic tracking, noticing something pleasant. */

import { announce, button, element, fold, heading, replace } from "../dom.js";
import { list, t } from "../i18n.js";
import { isoWithOffset } from "../moments.js";
import { findStep } from "../practice_clock.js";
import { createScale } from "../scale.js";
import { loadOptions, optionParts, runPractice } from "./practice_run.js";
import { backLink } from "./view.js";

/** @typedef {import('./view.js').App} App */

const SLOWER = 1.25; // the time that is left grows by this at each press
const MAX_S = 3600;

/**
 * @typedef {object} Guide
 * @property {string} kind as it is stored
 * @property {number[]} lengths in minutes
 * @property {string} title
 * @property {string} words
 * @property {string} caution
 * @property {{title: string, length: number, words: readonly string[]}[]} steps `length`: the share of the time
 * @property {boolean} hasSmaller whether one may leave it for its last step
 */

/** @returns {Guide} */
function loadTracking() {
  return {
    kind: "somatic tracking",
    lengths: [5, 7, 10],
    title: t("practise.tracking"),
    words: t("tracking.words"),
    caution: t("tracking.caution"),
    steps: [
      { title: t("tracking.arriving"), length: 0.15, words: list("tracking.arrivingWords") },
      { title: t("tracking.mindfulness"), length: 0.3, words: list("tracking.mindfulnessWords") },
      { title: t("tracking.safety"), length: 0.3, words: list("tracking.safetyWords") },
      { title: t("tracking.ease"), length: 0.25, words: list("tracking.easeWords") },
    ],
    hasSmaller: true,
  };
}

/** @returns {Guide} */
function loadSavouring() {
  return {
    kind: "savouring",
    lengths: [4, 3, 5],
    title: t("practise.savouring"),
    words: t("savouring.words"),
    caution: t("savouring.caution"),
    steps: [
      { title: t("tracking.arriving"), length: 0.15, words: list("tracking.arrivingWords") },
      { title: t("savouring.around"), length: 0.3, words: list("savouring.aroundWords") },
      { title: t("savouring.body"), length: 0.25, words: list("savouring.bodyWords") },
      { title: t("savouring.staying"), length: 0.3, words: list("savouring.stayingWords") },
    ],
    hasSmaller: false,
  };
}

/** By the name in the address. */
const GUIDES = { tracking: loadTracking, savouring: loadSavouring };

/**
 * @param {App} app
 * @param {HTMLElement} place
 * @param {AbortSignal} signal
 * @param {"tracking" | "savouring"} name
 */
export async function openGuided(app, place, signal, name) {
  const guide = GUIDES[name]();
  const options = await loadOptions(app);
  if (signal.aborted) return;
  const { parts } = optionParts(app, options, guide.lengths, signal);
  const pain = createScale(t("tracking.painBefore"), { isOptional: true });
  const stress = createScale(t("tracking.stressBefore"), { isOptional: true });
  const title = heading(guide.title);
  replace(
    place,
    backLink("#practise"),
    title,
    element("p", {}, guide.words),
    ...parts,
    fold(t("tracking.before"), pain.root, stress.root),
    button(
      t("practise.begin"),
      () => {
        begin(app, place, signal, options, guide, {
          pain_before: pain.value,
          stress_before: stress.value,
        });
      },
      { class: "main" },
    ),
    element("p", { class: "muted" }, guide.caution),
  );
  title.focus();
}

/**
 * @param {App} app
 * @param {HTMLElement} place
 * @param {AbortSignal} signal
 * @param {import('./practice_run.js').Options} options
 * @param {Guide} guide
 * @param {{pain_before: number | null, stress_before: number | null}} before
 */
function begin(app, place, signal, options, guide, before) {
  const { steps } = guide;
  const name = element("h2", {});
  const words = element("p", { class: "guide", "aria-live": "polite" });
  const stage = element("div", { class: "stage" }, heading(guide.title), name, words);
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
  function goToLast() {
    const last = 1 - steps[steps.length - 1].length;
    if (fraction + (nowMs - atMs) * pace >= last) return;
    fraction = last;
    atMs = nowMs;
    practice.seconds = (nowMs + (1 - last) / pace) / 1000;
  }

  /** @type {import('./practice_run.js').Practice} */
  const practice = {
    stage,
    seconds: 60 * options.minutes,
    controls: [
      button(t("practise.slower"), slowDown, { class: "quiet" }),
      ...(guide.hasSmaller
        ? [
            button(t("practise.smaller"), goToLast, {
              class: "quiet",
              "aria-label": t("practise.smallerTitle"),
            }),
          ]
        : []),
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
      if (!isLeft) showEnd(app, place, signal, guide.kind, { began, ended, before });
    },
  };
  runPractice(app, place, signal, options, practice);
}

/**
 * @param {App} app
 * @param {HTMLElement} place
 * @param {AbortSignal} signal
 * @param {string} kind
 * @param {{began: Date, ended: Date, before: {pain_before: number | null, stress_before: number | null}}} done
 */
function showEnd(app, place, signal, kind, { began, ended, before }) {
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
          kind,
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
