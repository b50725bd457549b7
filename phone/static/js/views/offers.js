/** Practice by lot: the offer after a rating, and a part of More. */

import { OfflineError, ProblemError } from "../api.js";
import { button, element, replace } from "../dom.js";
import { t } from "../i18n.js";
import { actOnOffer, agreeToOffers, loadOffer, loadOffers, PRACTICES, stopOffers } from "../offers.js";

/** @typedef {import('./view.js').App} App */

/**
 * The offer of the moment of a rating, once the server has the rating; nothing where chance did not
 * offer, or there is no net.
 * @param {App} app
 * @param {AbortSignal} signal
 * @param {string} ratingId
 * @returns {HTMLElement}
 */
export function offerPart(app, signal, ratingId) {
  const section = element("section", { "aria-label": t("offers.title"), hidden: true });
  let isAsked = false;
  async function look() {
    const rating = app.entries.ratings().find((item) => item.id === ratingId);
    if (isAsked || !rating || rating.waits) return;
    isAsked = true;
    const offer = await loadOffer().catch(() => null); // a rating is complete without
    if (!offer || signal.aborted) return;
    const practice = String(PRACTICES.get(offer.arm));
    const decline = async () => {
      section.hidden = true;
      await actOnOffer(offer, "not now").catch(() => null);
    };
    replace(
      section,
      element("p", {}, t(`offers.ask.${practice}`)),
      element("a", { class: "button main", href: `#practise/${practice}` }, t("offers.yes")),
      button(t("offers.notNow"), decline, { class: "quiet" }),
    );
    section.hidden = false;
    await actOnOffer(offer, "shown").catch(() => null);
  }
  app.entries.addEventListener("changed", () => void look(), { signal });
  void look();
  return section;
}

/** @returns {HTMLElement} */
export function offersPart() {
  const place = element("section", { "aria-labelledby": "offers-title", class: "reminders" });
  void draw(place, "");
  return place;
}

/**
 * @param {HTMLElement} place
 * @param {string} said what came of the last press
 */
async function draw(place, said) {
  const title = element("h2", { id: "offers-title" }, t("offers.title"));
  let found;
  try {
    found = await loadOffers();
  } catch (error) {
    if (!(error instanceof OfflineError)) throw error;
    replace(place, title, element("p", { class: "muted" }, t("offers.offline")));
    return;
  }
  const status = element("p", { role: "status" }, said);
  if (found.active) {
    const stop = async () => {
      await stopOffers();
      await draw(place, t("offers.stopped"));
    };
    replace(
      place,
      title,
      element("p", {}, t("offers.on")),
      button(t("offers.stop"), stop, { class: "quiet" }),
      status,
    );
    return;
  }
  const { wording } = found;
  const begin = async () => {
    try {
      await agreeToOffers(wording);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      status.textContent = error.message; // such as: reminders first
      return;
    }
    await draw(place, t("offers.begun"));
  };
  const hasEnded = found.earlier.at(-1)?.ended_why.includes("higher after offers");
  replace(
    place,
    title,
    hasEnded ? element("p", {}, t("offers.ended")) : null,
    element("p", {}, t("offers.words")),
    button(t("offers.begin"), begin),
    status,
  );
}
