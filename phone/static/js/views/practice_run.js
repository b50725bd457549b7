/** What practices share: options, a clock with a pause, and sounds for closed eyes. */

import { announce, button, element, replace, toggle } from "../dom.js";
import { count, formatNumber, t } from "../i18n.js";
import { keepScreenOn } from "../platform.js";
import { PracticeClock } from "../practice_clock.js";
import {
  CAN_VIBRATE,
  findVoice,
  onVoicesChange,
  prepareSound,
  ringBell,
  say,
  stopSaying,
  vibrate,
} from "../sound.js";
import { readHeartRate } from "./view.js";

/** @typedef {import('./view.js').App} App */
/** @typedef {{voice: boolean, bell: boolean, vibration: boolean, heart: boolean, minutes: number,
 *   pace: number}} Options `minutes`: 0 until one ends it */

const OPTIONS = "practice options";
/** @type {Options} */
const USUAL = {
  voice: true,
  bell: true,
  vibration: CAN_VIBRATE,
  heart: false,
  minutes: 5,
  pace: 6,
};
const TICK_MS = 100;

/**
 * Load what was chosen the last time.
 * @param {App} app
 * @returns {Promise<Options>}
 */
export async function loadOptions(app) {
  return { ...USUAL, ...(await app.database.get("meta", OPTIONS)) };
}

/**
 * Create the switches of sound and heart, and the choice of a length.
 * @param {App} app
 * @param {Options} options changed in place
 * @param {number[]} lengths in minutes
 * @param {AbortSignal} signal
 */
export function optionParts(app, options, lengths, signal) {
  const keep = () => void app.database.put("meta", OPTIONS, { ...options });
  const voice = toggle(t("practise.voice"), options.voice, (isOn) => {
    options.voice = isOn;
    keep();
  });
  const noVoice = element("p", { class: "muted" }, t("practise.noVoice"));
  const showVoice = () => {
    const isThere = findVoice() !== null;
    voice.label.hidden = !isThere;
    noVoice.hidden = isThere;
  };
  onVoicesChange(showVoice, signal);
  showVoice();
  const bell = toggle(t("practise.bell"), options.bell, (isOn) => {
    options.bell = isOn;
    keep();
  });
  const vibration = toggle(t("practise.vibration"), options.vibration, (isOn) => {
    options.vibration = isOn;
    keep();
  });
  const heart = toggle(t("practise.heart"), options.heart, (isOn) => {
    options.heart = isOn;
    keep();
  });
  const select = element(
    "select",
    {
      onchange: () => {
        options.minutes = Number(select.value);
        keep();
      },
    },
    ...lengths.map((minutes) =>
      element(
        "option",
        { value: minutes },
        minutes === 0 ? t("practise.open") : count("practise.minutes", minutes),
      ),
    ),
  );
  if (!lengths.includes(options.minutes)) options.minutes = lengths[0];
  select.value = String(options.minutes);
  const length = element("label", {}, t("practise.howLong"), select);
  const shake = CAN_VIBRATE ? vibration.label : null;
  return { parts: [length, voice.label, noVoice, bell.label, shake, heart.label], keep };
}

/**
 * @typedef {object} Practice
 * @property {Element} stage what is seen
 * @property {(passedMs: number, cue: Cue) => void} tick drawn ten times a second while it runs
 * @property {(isRunning: boolean) => void} [pause]
 * @property {HTMLButtonElement[]} [controls]
 * @property {number | null} seconds after which it ends by itself; may grow meanwhile
 * @property {(began: Date, ended: Date, isLeft: boolean) => void} end `isLeft`: the view was left
 */

/** @typedef {(words: string, pitchHz: number, pattern: number[]) => void} Cue */

/**
 * Run a practice until it ends.
 * @param {App} app
 * @param {HTMLElement} place
 * @param {AbortSignal} signal
 * @param {Options} options
 * @param {Practice} practice
 */
export function runPractice(app, place, signal, options, practice) {
  const clock = new PracticeClock();
  const running = new AbortController();
  const began = new Date();
  document.body.classList.add("practising");

  /** @type {Cue} */
  const cue = (words, pitchHz, pattern) => {
    if (options.bell) ringBell(pitchHz, 0.12);
    if (options.voice) say(words);
    if (options.vibration) vibrate(pattern);
  };
  const left = element("p", { class: "muted left" });
  const heart = element("p", { class: "muted heart" });
  const halt = button(t("practise.pause"), () => {
    if (clock.isRunning) {
      clock.pause();
      stopSaying();
    } else clock.start();
    halt.textContent = t(clock.isRunning ? "practise.pause" : "practise.goOn");
    practice.pause?.(clock.isRunning);
    if (!clock.isRunning) announce(t("practise.paused"));
  });
  const finish = button(t("practise.end"), () => stop(false), { class: "quiet" });

  /** @param {boolean} isLeft */
  function stop(isLeft) {
    if (running.signal.aborted) return;
    running.abort();
    clearInterval(timer);
    stopSaying();
    vibrate(0);
    document.body.classList.remove("practising");
    // Pauses count as part of it: the heart is compared before, during and after.
    practice.end(began, new Date(), isLeft);
  }

  function step() {
    const passedMs = clock.passedMs;
    const { seconds } = practice;
    if (seconds !== null && passedMs >= 1000 * seconds) {
      if (options.bell) ringBell(262, 0.25);
      if (options.vibration) vibrate([300]);
      stop(false);
      if (options.voice) say(t("practise.over"));
      return;
    }
    if (clock.isRunning) practice.tick(passedMs, cue);
    left.textContent =
      seconds === null
        ? ""
        : t("practise.left", { time: minutesAndSeconds(seconds - passedMs / 1000) });
    const rate = options.heart ? readHeartRate(app.recorder) : null;
    heart.textContent = !options.heart
      ? ""
      : rate === null
        ? t("practise.noHeart")
        : t("practise.heartNow", { rate: formatNumber(rate) });
  }

  replace(
    place,
    practice.stage,
    left,
    options.heart ? heart : null,
    element(
      "div",
      { class: "actions" },
      halt,
      element("div", { class: "pair" }, ...(practice.controls ?? [])),
      finish,
    ),
  );
  keepScreenOn(running.signal);
  signal.addEventListener("abort", () => stop(true), { once: true });
  prepareSound();
  if (options.bell) ringBell(392, 0.25);
  clock.start();
  const timer = setInterval(step, TICK_MS);
  step();
  halt.focus();
}

/** @param {number} seconds */
function minutesAndSeconds(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
