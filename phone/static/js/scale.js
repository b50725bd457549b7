/** A scale from 0 to 10: one row of equal steps, for a thumb, a keyboard and a screen reader. */

import { element } from "./dom.js";
import { t } from "./i18n.js";

const NUMBERS = Array.from({ length: 11 }, (_, number) => number);
let made = 0;

/**
 * @typedef {{root: HTMLElement, value: number | null, focus: () => void}} Scale
 */

/**
 * Create a scale. Its numbers are radio buttons: arrows move, and the group has the title as its
 * name.
 * @param {string} title
 * @param {{ends?: string, value?: number | null, isOptional?: boolean}} [options]
 * @returns {Scale}
 */
export function createScale(title, { ends, value = null, isOptional = false } = {}) {
  const name = `scale-${(made += 1)}`;
  const inputs = NUMBERS.map((number) =>
    element("input", { type: "radio", name, value: number, onchange: show }),
  );
  const steps = inputs.map((input, number) =>
    element("label", {}, input, element("span", {}, String(number))),
  );
  const row = element("div", { class: "steps" }, ...steps);
  const chosen = element("output", { class: "chosen", "aria-hidden": "true" });
  const clear = element(
    "button",
    {
      type: "button",
      class: "quiet small",
      "aria-label": t("scale.clearTitle", { title }),
      hidden: true,
      onclick: () => choose(null),
    },
    t("scale.clear"),
  );
  const root = element(
    "div",
    { class: "scale", role: "radiogroup", "aria-label": title },
    element(
      "div",
      { class: "scale-head" },
      element(
        "div",
        {},
        element("span", { class: "title", "aria-hidden": "true" }, title),
        ends ? element("span", { class: "ends" }, ends) : null,
      ),
      clear,
      chosen,
    ),
    row,
  );

  function read() {
    const place = inputs.findIndex((input) => input.checked);
    return place < 0 ? null : place;
  }

  function show() {
    const number = read();
    chosen.textContent = number === null ? "" : String(number);
    clear.hidden = !isOptional || number === null;
  }

  /** @param {number | null} number */
  function choose(number) {
    for (const input of inputs) input.checked = Number(input.value) === number;
    show();
  }

  // A finger may slide along the row: the steps of a small phone are narrow.
  row.addEventListener("pointermove", (event) => {
    if (event.buttons === 0 && event.pointerType === "mouse") return;
    const box = row.getBoundingClientRect();
    const place = Math.floor((11 * (event.clientX - box.left)) / box.width);
    if (place >= 0 && place <= 10 && place !== read()) choose(place);
  });

  choose(value);
  return {
    root,
    get value() {
      return read();
    },
    set value(number) {
      choose(number);
    },
    focus: () => (inputs.find((input) => input.checked) ?? inputs[0]).focus(),
  };
}
