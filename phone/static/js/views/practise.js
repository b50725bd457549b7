/** Practise: the choice, and the practices. */

import { element, heading, replace } from "../dom.js";
import { t } from "../i18n.js";
import { openBreathing } from "./breathing.js";
import { openGuided } from "./guided.js";

/** @type {import('./view.js').View} */
export function openPractise(app, place, signal, argument) {
  if (argument === "breathing") return openBreathing(app, place, signal);
  if (argument === "tracking" || argument === "savouring")
    return openGuided(app, place, signal, argument);
  replace(
    place,
    heading(t("practise.title")),
    choice("breathing", t("practise.breathing"), t("practise.breathingWords")),
    choice("tracking", t("practise.tracking"), t("practise.trackingWords")),
    choice("savouring", t("practise.savouring"), t("practise.savouringWords")),
    element("p", { class: "muted" }, t("practise.offline")),
  );
}

/**
 * @param {string} name
 * @param {string} title
 * @param {string} words
 */
function choice(name, title, words) {
  return element(
    "a",
    { class: "choice", href: `#practise/${name}` },
    element("strong", {}, title),
    element("span", {}, words),
  );
}
