/** Questions: the questionnaires of the programme, one question at a time. */

import { OfflineError, ProblemError } from "../api.js";
import { announce, button, element, heading, replace } from "../dom.js";
import { count, formatDay, t } from "../i18n.js";
import { isoWithOffset } from "../moments.js";
import {
  chooseLanguage,
  fetchQuestions,
  findQuestions,
  forgetDue,
  isConcern,
  measure,
} from "../questionnaires.js";
import { backLink } from "./view.js";

/** @typedef {import('./view.js').App} App */
/** @typedef {import('../questionnaires.js').Due} Due */

/**
 * A quiet line where questions are open, which can wait; nothing where there are none.
 * @param {App} app
 * @param {AbortSignal} signal
 */
export function questionsLine(app, signal) {
  const line = element("section", { hidden: true });
  async function draw() {
    const found = await findQuestions(app.database, app.entries);
    if (signal.aborted) return;
    const { number, minutes } = measure(found?.due ?? []);
    const isRefused = app.entries.refused.some(({ kind }) => kind === "answer");
    line.hidden = number === 0 && !isRefused;
    replace(
      line,
      number > 0
        ? element("p", { class: "muted" }, count("questions.open", number, { minutes }))
        : null,
      element("a", { class: "button quiet", href: "#questions" }, t("questions.begin")),
    );
  }
  void draw()
    .then(() => fetchQuestions(app.database))
    .then(draw)
    .catch(ignoreNoAnswer);
  return line;
}

/** @type {import('./view.js').View} */
export async function openQuestions(app, place, signal) {
  const title = heading(t("questions.title"));
  replace(place, backLink("#rate"), title);
  let failed = false;
  await fetchQuestions(app.database).catch((error) => {
    ignoreNoAnswer(error);
    failed = true;
  });
  const found = await findQuestions(app.database, app.entries);
  if (signal.aborted) return;
  const next = found?.due[0];
  const refused = app.entries.refused.filter(({ kind }) => kind === "answer");
  if (refused.length > 0) {
    const begin = () => void openQuestions(app, place, signal, "");
    replace(place, backLink("#rate"), title, ...refused.map((entry) => refusal(app, entry, begin)));
    title.focus();
    return;
  }
  if (!found || !next) {
    const words = t(failed && !found ? "questions.offline" : "questions.none");
    replace(place, backLink("#rate"), title, element("p", {}, words));
    title.focus();
    return;
  }
  ask(app, place, signal, next, found.help);
}

/**
 * @param {App} app
 * @param {HTMLElement} place
 * @param {AbortSignal} signal
 * @param {Due} due
 * @param {string[]} help
 */
function ask(app, place, signal, due, help) {
  const { questionnaire } = due;
  const language = chooseLanguage(questionnaire, navigator.languages ?? [navigator.language]);
  const { items } = questionnaire;
  /** @type {Record<string, number>} */
  const answers = {};
  draw(0);

  /** @param {number} at */
  function draw(at) {
    const item = items[at];
    const isLast = at + 1 === items.length;
    const options = item.options.length > 0 ? item.options : questionnaire.options;
    const note = questionnaire.note[language];
    const frame = helpFrame(help);
    const on = button("", () => (isLast ? save() : draw(at + 1)), { class: "main" });
    const choices = options.map((option) => {
      const input = element("input", {
        type: "radio",
        name: "answer",
        value: option.value,
        onchange: () => {
          answers[item.id] = option.value;
          show();
        },
      });
      input.checked = answers[item.id] === option.value;
      return element("label", { class: "toggle" }, input, element("span", {}, option.text[language]));
    });
    const words = items.length > 1 ? item.text[language] : questionnaire.instruction[language];
    const title = heading(words);
    title.setAttribute("lang", language);

    function show() {
      const value = answers[item.id] ?? null;
      const isNeeded = isConcern(questionnaire, item.id, value);
      if (isNeeded && frame.hidden) announce(help.join(" "));
      const isNew = isNeeded && frame.hidden;
      frame.hidden = !isNeeded;
      // All of it is seen at once on a small phone, not only its beginning.
      if (isNew) frame.scrollIntoView({ block: "start" });
      on.textContent = t(
        isLast ? "questions.save" : value === null ? "questions.leaveOut" : "questions.next",
      );
      on.disabled = isLast && Object.keys(answers).length === 0;
    }

    show();
    replace(
      place,
      backLink("#rate"),
      element(
        "p",
        { class: "muted" },
        t("questions.place", {
          name: questionnaire.short_name,
          number: at + 1,
          total: items.length,
        }),
      ),
      items.length > 1
        ? element("p", { lang: language }, questionnaire.instruction[language])
        : null,
      note ? element("p", { class: "muted", lang: language }, note) : null,
      title,
      element("div", { role: "radiogroup", "aria-label": words, lang: language }, ...choices),
      frame,
      on,
      at > 0 ? button(t("questions.back"), () => draw(at - 1), { class: "quiet" }) : null,
      due.closes
        ? element(
            "p",
            { class: "muted" },
            t("questions.until", { day: formatDay(new Date(due.closes)) }),
          )
        : null,
    );
    scrollTo(0, 0);
    title.focus();
  }

  async function save() {
    await app.entries.answer({
      questionnaire: questionnaire.id,
      definition_version: questionnaire.version,
      language,
      answers,
      about: isoWithOffset(new Date()),
      zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    });
    await forgetDue(app.database, questionnaire.id);
    const isNeeded = items.some((item) =>
      isConcern(questionnaire, item.id, answers[item.id] ?? null),
    );
    const left = await findQuestions(app.database, app.entries);
    if (signal.aborted) return;
    const title = heading(t("questions.saved"));
    const frame = helpFrame(help);
    frame.hidden = !isNeeded;
    const next = left?.due[0];
    replace(
      place,
      title,
      frame,
      navigator.onLine ? null : element("p", { class: "muted" }, t("questions.waits")),
      left && next
        ? button(t("questions.on"), () => ask(app, place, signal, next, left.help), {
            class: "main",
          })
        : null,
      backLink("#rate"),
    );
    scrollTo(0, 0);
    title.focus();
  }
}

/**
 * @param {App} app
 * @param {import('../entries.js').Entry} entry
 * @param {() => void} done
 */
function refusal(app, entry, done) {
  return element(
    "div",
    { class: "actions" },
    element("p", {}, t("questions.refused", { problem: String(entry.problem) })),
    button(
      t("questions.discard"),
      async () => {
        await app.entries.discard(entry);
        done();
      },
      { class: "quiet" },
    ),
  );
}

/**
 * The words of help, without a colour of alarm.
 * @param {string[]} help
 */
function helpFrame(help) {
  return element(
    "section",
    { class: "hint", hidden: true, "aria-label": t("questions.help") },
    ...help.map((words) => element("p", {}, words)),
  );
}

/** Without an answer of the server, what the phone has is shown. @param {unknown} error */
function ignoreNoAnswer(error) {
  if (!(error instanceof OfflineError || error instanceof ProblemError)) throw error;
}
