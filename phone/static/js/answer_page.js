/** One rating by the link of a mail: no password, nothing of the person is shown. */

import { button, element, heading, replace } from "./dom.js";
import { LANGUAGE, t } from "./i18n.js";
import { askedFor } from "./moments.js";
import { createScale } from "./scale.js";

const place = /** @type {HTMLElement} */ (document.getElementById("view"));
// What follows the # was sent to no server. It leaves the address, and with it the history.
const receipt = location.hash.slice(1);
history.replaceState(null, "", location.pathname);
document.documentElement.lang = LANGUAGE;
document.title = t("app.name");
void open();

/**
 * @param {string} path
 * @param {object} content
 */
function post(path, content) {
  return fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ receipt, ...content }),
  });
}

async function open() {
  /** @type {Response} */
  let answer;
  try {
    answer = await post("/v1/prompt-receipts", { action: "opened" });
  } catch {
    replace(place, heading(t("app.name")), element("p", {}, t("answer.failed")));
    return;
  }
  const found = answer.ok ? await answer.json() : { is_open: false };
  if (found.is_open) drawForm(found.can_put_off, found.asks);
  else say(t("answer.over"));
}

/**
 * @param {boolean} canPutOff
 * @param {string} asks pain, stress or both
 */
function drawForm(canPutOff, asks) {
  const names = askedFor(asks);
  const scales = names.map((name) => createScale(t(`rate.${name}`), { ends: t("rate.ends") }));
  const problem = element("p", { role: "alert", class: "problem" });
  const save = async () => {
    const missing = scales.find((scale) => scale.value === null);
    if (missing) {
      problem.textContent = t(scales.length > 1 ? "rate.choose" : "rate.chooseOne");
      missing.focus();
      return;
    }
    const rated = Object.fromEntries(names.map((name, place) => [name, scales[place].value]));
    await tryTo(() => post("/v1/prompt-answers", rated), t("answer.saved"));
  };
  /** @param {() => Promise<Response>} act @param {string} done */
  async function tryTo(act, done) {
    try {
      const answer = await act();
      if (answer.ok) say(done);
      else if (answer.status === 429) problem.textContent = t("answer.failed");
      else say(t("answer.over"));
    } catch {
      problem.textContent = t("answer.failed");
    }
  }
  /** @param {string} action @param {string} done */
  const act = (action, done) => () => tryTo(() => post("/v1/prompt-receipts", { action }), done);
  replace(
    place,
    heading(t("answer.title")),
    ...scales.map((scale) => scale.root),
    problem,
    button(t("rate.save"), save, { class: "main" }),
    element(
      "div",
      { class: "actions" },
      canPutOff
        ? button(t("answer.later"), act("put off", t("answer.laterSaid")), { class: "quiet" })
        : null,
      button(t("answer.letGo"), act("let go", t("answer.letGoSaid")), { class: "quiet" }),
    ),
    element("p", { class: "muted" }, t("app.notADevice")),
  );
}

/** @param {string} words */
function say(words) {
  const title = heading(t("app.name"));
  replace(place, title, element("p", { role: "status" }, words));
  title.focus();
}
