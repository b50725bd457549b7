/** Practice by lot: what is offered now, and agreeing to it or stopping it. */

import { request, requestJson } from "./api.js";

/** @typedef {{decision_point: string, arm: string, until: string}} Offer */
/** @typedef {{wording: string, active: {arms: string[], times_min: number[], agreed: string} | null,
 *   proposal: {arms: string[], times_min: number[], number: number, base_probability: number} | null, earlier: {ended_why: string}[]}} Offers */

/** The practice of the app that an arm is; of one that a newer server knows there is none. */
export const PRACTICES = new Map([
  ["paced breathing", "breathing"],
  ["somatic tracking", "tracking"],
  ["savouring", "savouring"],
]);

/** @returns {Promise<Offer | null>} */
export async function loadOffer() {
  const { offer } = await requestJson("GET", "/v1/offers/now");
  return offer && PRACTICES.has(offer.arm) ? offer : null;
}

/**
 * @param {Offer} offer
 * @param {'shown' | 'not now'} action
 */
export async function actOnOffer(offer, action) {
  await request("PUT", `/v1/offers/points/${offer.decision_point}`, { json: { action } });
}

/** @returns {Promise<Offers>} */
export async function loadOffers() {
  return requestJson("GET", "/v1/offers");
}

/**
 * @param {string} wording the version of the text that was displayed
 * @param {number} [proposal] the number of a therapist's proposal; without one, breathing
 */
export async function agreeToOffers(wording, proposal) {
  const json = proposal === undefined ? { wording } : { wording, proposal };
  await request("POST", "/v1/offers", { json });
}

/** Have nothing offered by lot any more. */
export async function stopOffers() {
  await request("DELETE", "/v1/offers");
}
