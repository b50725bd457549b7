/** A bell, a voice and a vibration, for eyes that are closed. */

import { LANGUAGE } from "./i18n.js";

/** @type {AudioContext | null} */
let audio = null;

/** Allow sound from now on: browsers want a press first. */
export function prepareSound() {
  if (typeof AudioContext === "undefined") return;
  audio ??= new AudioContext();
  if (audio.state === "suspended") void audio.resume();
}

/**
 * Ring a small bell: partials of a bowl, each fading on its own.
 * @param {number} [pitchHz]
 * @param {number} [loudness] 0 to 1
 */
export function ringBell(pitchHz = 392, loudness = 0.25) {
  if (audio === null) return;
  const now = audio.currentTime;
  for (const [ratio, share, fadeS] of [
    [1, 1, 3.5],
    [2.76, 0.35, 1.8],
    [5.4, 0.12, 0.8],
  ]) {
    const tone = new OscillatorNode(audio, { frequency: pitchHz * ratio });
    const level = new GainNode(audio, { gain: 0 });
    level.gain.setValueAtTime(0, now);
    level.gain.linearRampToValueAtTime(loudness * share, now + 0.02);
    level.gain.exponentialRampToValueAtTime(0.0001, now + fadeS);
    tone.connect(level).connect(audio.destination);
    tone.start(now);
    tone.stop(now + fadeS);
  }
}

/** Whether this device can vibrate. */
export const CAN_VIBRATE = "vibrate" in navigator && matchMedia("(pointer: coarse)").matches;

/** @param {number | number[]} pattern in ms */
export function vibrate(pattern) {
  if ("vibrate" in navigator) navigator.vibrate(pattern);
}

/**
 * Find a voice of the language that is on the device. Others send the text to their maker.
 * @returns {SpeechSynthesisVoice | null}
 */
export function findVoice() {
  if (!("speechSynthesis" in globalThis)) return null;
  const voices = speechSynthesis.getVoices().filter((voice) => voice.localService);
  return voices.find((voice) => voice.lang.toLowerCase().startsWith(LANGUAGE)) ?? null;
}

/**
 * Hear when the voices are there: browsers load them late.
 * @param {() => void} change
 * @param {AbortSignal} signal
 */
export function onVoicesChange(change, signal) {
  if (!("speechSynthesis" in globalThis)) return;
  speechSynthesis.addEventListener("voiceschanged", change, { signal });
}

/** @param {string} words */
export function say(words) {
  const voice = findVoice();
  if (voice === null) return;
  const speech = new SpeechSynthesisUtterance(words);
  speech.voice = voice;
  speech.lang = voice.lang;
  speech.rate = 0.85;
  speechSynthesis.cancel();
  speechSynthesis.speak(speech);
}

export function stopSaying() {
  if ("speechSynthesis" in globalThis) speechSynthesis.cancel();
}
