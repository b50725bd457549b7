"""Words that the browser says, with the words to read along.

Only voices that are on the device: others send the text to their maker. Where there is none of the
reader's language, the words are marked at the pace of reading, and that is said.
"""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any

import streamlit as st

from dashboard.charts import palette
from dashboard.i18n.language import _, reader_locale

_RATE = 0.9  # of the voice's own pace: the words are to be thought about
_SLOWER_RATE = 0.7

_FIND_VOICE = """
  const engine = window.speechSynthesis;
  const findVoice = () => (engine ? engine.getVoices() : []).filter((one) => one.localService)
    .find((one) => one.lang.toLowerCase().startsWith(given.language)) ?? null;
"""

# One sentence of a practice: said once, when it appears.
_SAY = """
(() => {
  const given = __GIVEN__;
  __FIND_VOICE__
  const note = document.querySelector(".ebbtide-voice");
  const show = () => {
    if (note) note.textContent = given.isOn && !findVoice() ? given.noVoice : "";
  };
  show();
  if (engine) engine.addEventListener("voiceschanged", show, { once: true });
  if (!given.isOn || !given.words) { engine?.cancel(); window.ebbtideSaid = ""; return; }
  if (window.ebbtideSaid === given.id) return;
  window.ebbtideSaid = given.id;
  const speak = () => {
    const voice = findVoice();
    if (!voice || window.ebbtideSaid !== given.id) return;
    const speech = new SpeechSynthesisUtterance(given.words);
    Object.assign(speech, { voice, lang: voice.lang, rate: given.rate });
    engine.cancel();
    engine.speak(speech);
  };
  if (findVoice()) speak();
  else if (engine) engine.addEventListener("voiceschanged", speak, { once: true });
})();
"""

# A text that is read out: sentence by sentence, so that pausing and a slower pace take effect at
# once in every browser (pausing an utterance does nothing on Android).
_READ = """
(() => {
  const given = __GIVEN__;
  __FIND_VOICE__
  const root = document.querySelector(`.${given.name}`);
  if (!root || root.dataset.ready) return;
  root.dataset.ready = "yes";
  const sentences = [...root.querySelectorAll("span")];
  const note = root.querySelector(".note");
  const buttons = Object.fromEntries(
    [...root.querySelectorAll("button")].map((one) => [one.value, one]));
  let place = 0, rate = given.rate, turn = 0, isReading = false;
  const mark = (at) => sentences.forEach((one, k) => one.classList.toggle("now", k === at));
  const draw = () => {
    buttons.read.hidden = isReading;
    buttons.read.textContent = place > 0 ? given.goOn : given.read;
    buttons.pause.hidden = !isReading;
    buttons.slower.hidden = !isReading;
    buttons.stop.hidden = !isReading && place === 0;
  };
  const halt = () => { turn += 1; isReading = false; engine?.cancel(); };
  const step = () => {
    if (!root.isConnected) return halt();
    if (place >= sentences.length) { halt(); place = 0; mark(-1); draw(); return; }
    const mine = (turn += 1);
    const next = () => { if (mine === turn && isReading) { place += 1; step(); } };
    const words = sentences[place].textContent;
    mark(place);
    const voice = findVoice();
    note.textContent = voice ? "" : given.noVoice;
    if (!voice) {
      setTimeout(next, Math.max(1200, (words.split(/\\s+/).length * 320) / rate));
      return;
    }
    const speech = new SpeechSynthesisUtterance(words);
    Object.assign(speech, { voice, lang: voice.lang, rate, onend: next, onerror: next });
    engine.cancel();
    engine.speak(speech);
  };
  const press = {
    read: () => { isReading = true; step(); },
    pause: halt,
    slower: () => { rate = Math.max(0.5, rate * 0.8); step(); },
    stop: () => { halt(); place = 0; mark(-1); note.textContent = ""; },
  };
  for (const [name, one] of Object.entries(buttons)) {
    one.addEventListener("click", () => {
      press[name]();
      draw();
      if (one.hidden) (isReading ? buttons.pause : buttons.read).focus();
    });
  }
  draw();
})();
"""

_STYLE = f"""<style>
.ebbtide-reader span.now {{ background: color-mix(in srgb, {palette.STRESS} 30%, transparent);
  border-radius: .2rem; }}
.ebbtide-reader .row {{ display: flex; flex-wrap: wrap; gap: .5rem; }}
.ebbtide-reader button {{ min-height: 44px; padding: .3rem 1rem; border: 1px solid currentColor;
  border-radius: .5rem; background: transparent; color: inherit; font: inherit; cursor: pointer; }}
.ebbtide-reader button[hidden] {{ display: none; }}
.ebbtide-reader button:focus-visible {{ outline: 3px solid currentColor; outline-offset: 2px; }}
</style>"""


def render_said(words: str, sentence_id: str, *, is_on: bool, is_slow: bool = False) -> None:
    """Have the browser say a sentence once; silence it where ``is_on`` is false."""
    given = {
        "id": f"{sentence_id}:{words}",
        "words": words,
        "isOn": is_on,
        "rate": _SLOWER_RATE if is_slow else _RATE,
        **_voice_words(),
    }
    note = '<p class="ebbtide-voice" role="status" style="margin:0;font-size:.9rem"></p>'
    _render(note, _SAY, given)


def render_read_aloud(name: str, paragraphs: list[str]) -> None:
    """Render paragraphs with buttons that read them out, pause, slow down and stop.

    ``name`` is one of this page, of letters, digits and "-".
    """
    body = "".join(
        "<p>"
        + " ".join(f"<span>{escape(words)}</span>" for words in split_sentences(paragraph))
        + "</p>"
        for paragraph in paragraphs
    )
    titles = {
        "read": _("Read it to me"),
        "pause": _("Pause"),
        "slower": _("Slower"),
        "stop": _("Stop"),
    }
    buttons = "".join(
        f'<button type="button" value="{value}"{"" if value == "read" else " hidden"}>'
        f"{escape(title)}</button>"
        for value, title in titles.items()
    )
    html = (
        f'{_STYLE}<div class="ebbtide-reader reader-{name}">{body}<div class="row">{buttons}</div>'
        '<p class="note" role="status"></p></div>'
    )
    given = {
        "name": f"reader-{name}",
        "rate": _RATE,
        "read": titles["read"],
        "goOn": _("Go on reading"),
        **_voice_words(),
    }
    _render(html, _READ, given)


def split_sentences(paragraph: str) -> list[str]:
    """Split after a full stop, a question or an exclamation mark that a space follows."""
    return [words for words in re.split(r"(?<=[.!?])\s+", paragraph.strip()) if words]


def _voice_words() -> dict[str, str]:
    return {
        "language": reader_locale().language,
        "noVoice": _("This device has no voice for this language: the words go on, to be read."),
    }


def _render(html: str, script: str, given: dict[str, Any]) -> None:
    # "<" as an escape: no text can end the script.
    values = json.dumps(given).replace("<", "\\u003c")
    filled = script.replace("__FIND_VOICE__", _FIND_VOICE).replace("__GIVEN__", values)
    st.html(f"{html}<script>{filled}</script>", unsafe_allow_javascript=True)
