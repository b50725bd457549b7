/** Rate: three scales, a word, and what was rated today. */

import { announce, button, element, field, fold, heading, replace } from "../dom.js";
import { formatMoment, isSameDay, t } from "../i18n.js";
import { findPrompt, forgetPrompt, loadPrompt } from "../prompts.js";
import { createScale } from "../scale.js";
import { askedFor, isoWithOffset, toLocalInput } from "../moments.js";
import { messagesPart } from "./messages.js";
import { offerPart } from "./offers.js";
import { questionsLine } from "./questions.js";
import { backLink } from "./view.js";

/** @typedef {import('./view.js').App} App */
/** @typedef {ReturnType<import('../entries.js').EntryQueue['ratings']>[number]} ShownRating */

const MAX_NOTE = 500;

/** @type {import('./view.js').View} */
export function openRate(app, place, signal, argument) {
  const former = argument
    ? app.entries.ratings().find((rating) => rating.id === argument)
    : undefined;
  if (argument && !former) {
    location.replace("#rate");
    return;
  }
  replace(place, ...form(app, place, signal, former));
}

/**
 * @param {App} app
 * @param {HTMLElement} place
 * @param {AbortSignal} signal
 * @param {ShownRating | undefined} former the rating that is changed
 */
function form(app, place, signal, former) {
  const pain = createScale(t("rate.pain"), { ends: t("rate.ends"), value: former?.pain });
  const stress = createScale(t("rate.stress"), { ends: t("rate.ends"), value: former?.stress });
  const pleasant = createScale(t("rate.pleasant"), {
    ends: t("rate.pleasantEnds"),
    value: former?.pleasant,
    isOptional: true,
  });
  const note = field(t("rate.note"), { maxlength: MAX_NOTE, autocomplete: "off" });
  const pleasantNote = field(t("rate.pleasantNote"), { maxlength: MAX_NOTE, autocomplete: "off" });
  note.input.value = former?.note ?? "";
  pleasantNote.input.value = former?.pleasant_note ?? "";
  const now = new Date();
  const earliest = new Date(now.getTime() - 60 * 86_400_000);
  const about = field(t("rate.about"), {
    type: "datetime-local",
    min: toLocalInput(earliest),
    max: toLocalInput(now),
  });
  const begun = former ? toLocalInput(new Date(former.about)) : "";
  about.input.value = begun;
  const problem = element("p", { role: "alert", class: "problem" });
  // Looked for while the person still chooses, since they wait for what happens after Save.
  let prompt = findPrompt();
  let asked = askedFor(undefined);
  async function showAsked() {
    const found = await prompt;
    const isOpen = found !== null && Date.now() < found.expires && about.input.value === begun;
    if (former) asked = askedFor(onlyOne(former));
    else asked = askedFor(isOpen ? found.asks : undefined);
    // What was chosen meanwhile stays to be seen.
    if (!former && pain.value !== null && stress.value !== null) asked = askedFor(undefined);
    pain.root.hidden = !asked.includes("pain");
    stress.root.hidden = !asked.includes("stress");
  }
  void showAsked();
  about.input.addEventListener("change", () => void showAsked());
  // Without net: what the last notification said.
  const loaded = former ? Promise.resolve() : loadPrompt().catch(() => undefined);
  void loaded.then(() => {
    prompt = findPrompt();
    return showAsked();
  });
  for (const { root } of [pain, stress, pleasant]) {
    root.addEventListener("change", () => {
      const newer = findPrompt();
      void newer.then(() => (prompt = newer));
    });
  }

  async function save() {
    const content = {
      pain: asked.includes("pain") ? pain.value : null,
      stress: asked.includes("stress") ? stress.value : null,
      pleasant: pleasant.value,
      note: note.input.value.trim() || null,
      pleasant_note: pleasantNote.input.value.trim() || null,
    };
    const missing = asked.find((name) => content[name] === null);
    if (missing) {
      problem.textContent = t(asked.length > 1 ? "rate.choose" : "rate.chooseOne");
      (missing === "pain" ? pain : stress).focus();
      return;
    }
    const chosen = about.input.value;
    const isMoved = chosen !== "" && chosen !== begun;
    const moment = isMoved ? new Date(chosen) : new Date();
    if (moment.getTime() > Date.now()) {
      problem.textContent = t("rate.future");
      about.input.focus();
      return;
    }
    const when =
      former && !isMoved
        ? { about: former.about, zone: former.zone }
        : { about: isoWithOffset(moment), zone: currentZone() };
    const complete = /** @type {import('../entries.js').RatingContent} */ ({ ...content, ...when });
    let id = former?.id;
    const question = former ? null : await prompt;
    const isAnswer = question !== null && moment.getTime() < question.expires;
    if (former) await app.entries.correct(former.id, former.version, complete);
    else id = await app.entries.rate(isAnswer ? { ...complete, prompt_id: question.id } : complete);
    if (!signal.aborted) showSaved(app, place, signal, String(id)); // else another view is open
    if (isAnswer) await forgetPrompt();
  }

  const words = fold(t("rate.words"), note.label, pleasantNote.label);
  const when = fold(t("rate.when"), about.label);
  if (former) words.open = Boolean(former.note ?? former.pleasant_note);
  return [
    former ? backLink("#rate", t("rate.cancel")) : null,
    heading(t(former ? "rate.titleChange" : "rate.title")),
    former ? element("p", { class: "muted" }, formatMoment(new Date(former.about))) : null,
    former ? null : messagesPart(signal),
    pain.root,
    stress.root,
    pleasant.root,
    words,
    when,
    problem,
    button(t("rate.save"), save, { class: "main" }),
    former ? deleteParts(app, signal, former) : todayList(app, signal),
    former ? null : questionsLine(app, signal),
  ];
}

/**
 * @param {App} app
 * @param {HTMLElement} place
 * @param {AbortSignal} signal
 * @param {string} id
 */
function showSaved(app, place, signal, id) {
  const rating = app.entries.ratings().find((item) => item.id === id);
  const title = heading(t("rate.saved"));
  replace(
    place,
    title,
    rating ? element("p", {}, describe(rating)) : null,
    element("p", {}, t("rate.savedEnough")),
    offerPart(app, signal, id),
    button(
      t("rate.again"),
      () => {
        if (location.hash === "#rate") {
          replace(place, ...form(app, place, signal, undefined));
          place.querySelector("h1")?.focus();
        } else location.hash = "#rate";
      },
      { class: "quiet" },
    ),
    todayList(app, signal),
  );
  scrollTo(0, 0);
  title.focus();
}

/**
 * @param {App} app
 * @param {AbortSignal} signal
 * @param {ShownRating} former
 */
function deleteParts(app, signal, former) {
  const sure = element("div", { class: "actions", hidden: true });
  const ask = button(
    t("rate.delete"),
    () => {
      sure.hidden = false;
      ask.hidden = true;
      sure.querySelector("button")?.focus();
    },
    { class: "quiet" },
  );
  replace(
    sure,
    element("p", {}, t("rate.deleteSure")),
    button(t("rate.delete"), async () => {
      await app.entries.withdraw(former.id, former.version);
      announce(t("rate.deleted"));
      if (!signal.aborted) location.replace("#rate");
    }),
    button(
      t("rate.back"),
      () => {
        sure.hidden = true;
        ask.hidden = false;
        ask.focus();
      },
      { class: "quiet" },
    ),
  );
  return element("div", {}, ask, sure);
}

/**
 * @param {App} app
 * @param {AbortSignal} signal
 */
function todayList(app, signal) {
  const section = element("section", { "aria-label": t("rate.today") });
  let drawn = "";
  let frame = 0;
  // Once a frame, and not for a list that another has replaced meanwhile.
  function drawSoon() {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => section.isConnected && draw());
  }
  function draw() {
    const shown = app.entries
      .ratings()
      .filter((rating) => isSameDay(new Date(rating.about), new Date()) || rating.problem !== null)
      .reverse();
    const now = JSON.stringify(shown);
    if (now === drawn) return; // the focus stays where it is
    drawn = now;
    section.hidden = shown.length === 0;
    replace(
      section,
      element("h2", {}, t("rate.today")),
      element("ul", { class: "rows" }, ...shown.map(row)),
    );
  }
  app.entries.addEventListener("changed", drawSoon, { signal });
  draw();
  return section;
}

/** @param {ShownRating} rating */
function row(rating) {
  const state = rating.problem
    ? t("rate.refused", { problem: rating.problem })
    : rating.waits
      ? t("rate.waits")
      : null;
  return element(
    "li",
    {},
    element(
      "span",
      {},
      describe(rating),
      state ? element("span", { class: "muted state" }, ` · ${state}`) : null,
    ),
    element(
      "a",
      {
        class: "button quiet",
        href: `#rate/${rating.id}`,
        "aria-label": t("rate.changeOf", { moment: formatMoment(new Date(rating.about)) }),
      },
      t("rate.change"),
    ),
  );
}

/** @param {ShownRating} rating */
function describe(rating) {
  const { pain, stress, pleasant } = rating;
  const moment = formatMoment(new Date(rating.about));
  if (pain === null || stress === null) {
    // The other was not asked for.
    const words =
      pain === null
        ? t("rate.summaryStress", { moment, number: stress ?? "" })
        : t("rate.summaryPain", { moment, number: pain });
    return pleasant === null ? words : `${words}, ${t("rate.andPleasant", { pleasant })}`;
  }
  if (pleasant === null) return t("rate.summary", { moment, pain, stress });
  return t("rate.summaryPleasant", { moment, pain, stress, pleasant });
}

/**
 * The one that was rated, where the other was not asked for.
 * @param {{pain: number | null, stress: number | null}} rating
 * @returns {'pain' | 'stress' | undefined}
 */
function onlyOne({ pain, stress }) {
  if (pain === null) return "stress";
  return stress === null ? "pain" : undefined;
}

function currentZone() {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}
