/** Practice by lot: the offer after a rating, and a part of More. */

import { OfflineError, ProblemError } from "../api.js";
import { button, element, replace } from "../dom.js";
import { formatNumber, formatTime, t } from "../i18n.js";
import { actOnOffer, agreeToOffers, loadOffer, loadOffers, PRACTICES, stopOffers } from "../offers.js";

import { pageLink } from "./view.js";

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
  const { wording } = found;
  /** @param {number} [number] */
  const begin = async (number) => {
    try {
      await agreeToOffers(wording, number);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      status.textContent = error.message; // such as: reminders first
      return;
    }
    await draw(place, t("offers.begun"));
  };
  if (found.active) {
    const stop = async () => {
      await stopOffers();
      await draw(place, t("offers.stopped"));
    };
    replace(
      place,
      title,
      element("p", {}, t("offers.on", { practices: practiceNames(found.active.arms) })),
      timesPart(found.active),
      element("p", { class: "links" }, pageLink("offers", t("offers.page"))),
      ...proposalParts(found, begin),
      button(t("offers.stop"), stop, { class: "quiet" }),
      status,
    );
    return;
  }
  const hasEnded = found.earlier.at(-1)?.ended_why.includes("higher after offers");
  replace(
    place,
    title,
    hasEnded ? element("p", {}, t("offers.ended")) : null,
    element("p", {}, t("offers.words")),
    element("p", { class: "muted" }, t("offers.rules")),
    ...proposalParts(found, begin),
    button(t("offers.begin"), () => begin(), found.proposal ? { class: "quiet" } : {}),
    status,
  );
}

/**
 * What a therapist proposes, also in the place of what is on.
 * @param {import('../offers.js').Offers} found
 * @param {(number: number) => Promise<void>} begin
 */
function proposalParts({ proposal }, begin) {
  if (!proposal) return [];
  const practices = practiceNames(proposal.arms);
  const share = formatNumber(100 * proposal.base_probability);
  return [
    element("p", {}, t("offers.proposal", { practices, share })),
    timesPart(proposal),
    button(t("offers.agree"), () => begin(proposal.number)),
  ];
}

/**
 * When it asks besides the reminders.
 * @param {{times_min: number[]}} plan
 */
function timesPart({ times_min: minutes }) {
  if (!minutes.length) return null;
  const times = minutes.map((minute) => formatTime(new Date(2000, 0, 1, 0, minute))).join(", ");
  return element("p", {}, t("offers.times", { times }));
}

/** @param {string[]} arms */
function practiceNames(arms) {
  return arms.map((arm) => (PRACTICES.has(arm) ? t(`offers.${PRACTICES.get(arm)}`) : arm)).join(", ");
}
