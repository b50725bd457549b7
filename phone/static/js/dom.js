/** Build elements. Text is always set as text: nothing of a person is ever parsed as HTML. */

/** @typedef {Node | string | null | undefined | false} Child */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Create an element with attributes, listeners (`onclick`) and children.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, any>} [attributes]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function element(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/**
 * Create an SVG element.
 * @template {keyof SVGElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, any>} [attributes]
 * @param {...Child} children
 * @returns {SVGElementTagNameMap[T]}
 */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/**
 * @template {Element} E
 * @param {E} node
 * @param {Record<string, any>} attributes
 * @param {Child[]} children
 * @returns {E}
 */
function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) {
      node.setAttribute(name, String(value));
    }
  }
  node.append(...shown(children));
  return node;
}

/**
 * Replace what is in an element.
 * @param {Element} node
 * @param {...Child} children
 */
export function replace(node, ...children) {
  node.replaceChildren(...shown(children));
}

/**
 * @param {Child[]} children
 * @returns {(Node | string)[]}
 */
function shown(children) {
  return /** @type {(Node | string)[]} */ (
    children.filter((child) => child !== null && child !== undefined && child !== false)
  );
}

/**
 * Create a button.
 * @param {string} words
 * @param {(event: Event) => unknown} press while what it begins runs, pressing again does nothing
 * @param {Record<string, any>} [attributes]
 */
export function button(words, press, attributes = {}) {
  let isRunning = false;
  const pressOnce = async (/** @type {Event} */ event) => {
    if (isRunning) return; // a second tap would save a second time
    isRunning = true;
    try {
      await press(event);
    } finally {
      isRunning = false;
    }
  };
  return element("button", { type: "button", onclick: pressOnce, ...attributes }, words);
}

/**
 * Create the heading of a view; it gets the focus when the view opens.
 * @param {string} words
 */
export function heading(words) {
  return element("h1", { tabindex: -1 }, words);
}

/**
 * Create a part of a view that is closed at first.
 * @param {string} words
 * @param {...Child} children
 */
export function fold(words, ...children) {
  return element("details", {}, element("summary", {}, words), ...children);
}

/**
 * Create a labelled field.
 * @param {string} words
 * @param {Record<string, any>} attributes of the input
 */
export function field(words, attributes) {
  const input = element("input", attributes);
  return { label: element("label", {}, words, input), input };
}

/**
 * Create a switch with its label.
 * @param {string} words
 * @param {boolean} isOn
 * @param {(isOn: boolean) => void} [change]
 * @param {boolean} [isDisabled]
 */
export function toggle(words, isOn, change, isDisabled = false) {
  const input = element("input", { type: "checkbox", disabled: isDisabled });
  input.checked = isOn;
  if (change) input.addEventListener("change", () => change(input.checked));
  return { label: element("label", { class: "toggle" }, input, element("span", {}, words)), input };
}

/**
 * Let screen readers say something that happened.
 * @param {string} words
 */
export function announce(words) {
  const place = document.getElementById("announcer");
  if (!place) return;
  place.textContent = "";
  // The same words again are only heard when they change.
  setTimeout(() => (place.textContent = words), 50);
}
