/** More: who is signed in, what is on this phone, and signing out. */

import { button, element, heading, replace } from "../dom.js";
import { count, t } from "../i18n.js";
import { signOut } from "../session.js";
import { countOfOthers } from "../storage/database.js";
import { offersPart } from "./offers.js";
import { remindersPart } from "./reminders.js";
import { pageLink } from "./view.js";

/** @typedef {import('./view.js').App} App */

/** @type {import('./view.js').View} */
export function openMore(app, place, signal) {
  const others = element("p", { hidden: true });
  const out = element("div", { class: "actions" });
  replace(
    out,
    button(t("more.signOut"), () => void leave(app, out), { class: "quiet" }),
  );
  replace(
    place,
    heading(t("more.title")),
    element("p", {}, t("more.signedIn", { name: app.session.person.name })),
    element("p", { class: "muted" }, t("more.device", { name: app.session.device.name })),
    remindersPart(app),
    offersPart(),
    element("h2", {}, t("more.pages")),
    element(
      "p",
      { class: "links" },
      pageLink("before", t("more.before")),
      pageLink("consents", t("more.consents")),
    ),
    element("p", {}, t("more.emergency")),
    element("p", { class: "muted" }, t("app.notADevice")),
    element("h2", {}, t("more.kept")),
    element("p", {}, t("more.keptWords")),
    others,
    out,
    element("p", { class: "muted" }, t("more.language")),
    app.version
      ? element("p", { class: "muted" }, t("more.version", { version: app.version.slice(0, 12) }))
      : null,
  );
  void showOthers(app, others, signal);
}

/**
 * Say what waits of somebody else, so that it is known before the phone is given away.
 * @param {App} app
 * @param {HTMLElement} place
 * @param {AbortSignal} signal
 */
async function showOthers(app, place, signal) {
  const found = await countOfOthers(app.database.personId);
  if (signal.aborted || found.entries + found.notifications === 0) return;
  const rated = count("more.entries", found.entries);
  const recorded = count("more.notifications", found.notifications);
  place.textContent = t("more.others", { rated, recorded });
  place.hidden = false;
}

/**
 * Send what waits, then sign out; ask where something could not be sent.
 * @param {App} app
 * @param {HTMLElement} place
 */
async function leave(app, place) {
  const sending = element("p", { role: "status", tabindex: -1 }, t("more.signOutSending"));
  replace(place, sending);
  sending.focus();
  await app.recorder.stop();
  const [left, areBeatsSent] = await Promise.all([
    app.entries.send().catch(() => app.entries.waiting), // no room to note that it is on its way
    app.recorder.sendNow(),
  ]);
  if (left === 0 && areBeatsSent) {
    await finish();
    return;
  }
  const words = [
    left > 0 ? count("state.waiting", left) : "",
    areBeatsSent ? "" : count("more.beats", app.recorder.waiting),
  ];
  const title = element("h2", { tabindex: -1 }, t("more.signOutWaits"));
  replace(
    place,
    title,
    element("p", {}, t("more.signOutWaitsWords", { waiting: words.filter(Boolean).join(" ") })),
    button(t("more.tryAgain"), () => void leave(app, place)),
    button(t("more.discard"), () => void finish(), { class: "quiet" }),
    button(t("more.stay"), () => openAgain(app, place), { class: "quiet" }),
  );
  title.focus();
}

/**
 * @param {App} app
 * @param {HTMLElement} place
 */
function openAgain(app, place) {
  const again = button(t("more.signOut"), () => void leave(app, place), { class: "quiet" });
  replace(place, again);
  again.focus();
}

async function finish() {
  const isHeard = await signOut();
  document.dispatchEvent(new CustomEvent("signed-out", { detail: { isHeard } }));
}
