/** Sign in: by the code of the computer's page, or with e-mail and password. */

import { OfflineError, ProblemError } from "../api.js";
import { button, element, field, fold, heading, replace } from "../dom.js";
import { t } from "../i18n.js";
import { deviceKind } from "../platform.js";
import { signIn } from "../session.js";

/**
 * @param {HTMLElement} place
 * @param {{code?: string, notice?: string}} [given] `code`: what the address brought
 */
export function openSignIn(place, { code = "", notice } = {}) {
  const said = element("p", { role: "alert", class: "problem" });
  const words = field(t("signIn.code"), {
    autocomplete: "one-time-code",
    autocapitalize: "characters",
    spellcheck: "false",
    maxlength: 64,
  });
  words.input.value = code;
  const name = field(t("signIn.name"), { autocomplete: "off", maxlength: 60 });
  name.input.value = deviceKind();
  const email = field(t("signIn.email"), { type: "email", autocomplete: "username" });
  const password = field(t("signIn.password"), {
    type: "password",
    autocomplete: "current-password",
  });
  const second = field(t("signIn.secondFactor"), {
    autocomplete: "one-time-code",
    inputmode: "numeric",
    maxlength: 20,
  });

  /**
   * @param {Parameters<typeof signIn>[0]} proof
   * @param {HTMLInputElement[]} needed
   */
  async function send(proof, needed) {
    const empty = needed.find((input) => input.value.trim() === "");
    if (empty) {
      said.textContent = t("signIn.missing");
      empty.focus();
      return;
    }
    said.textContent = t("signIn.running");
    for (const control of place.querySelectorAll("button")) control.disabled = true;
    try {
      await signIn(proof, name.input.value.trim() || deviceKind());
    } catch (error) {
      if (error instanceof OfflineError) said.textContent = t("signIn.offline");
      else if (error instanceof ProblemError) said.textContent = error.message;
      else throw error;
    } finally {
      for (const control of place.querySelectorAll("button")) control.disabled = false;
    }
  }

  const withCode = element(
    "form",
    {
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        void send({ code: words.input.value.trim() }, [words.input]);
      },
    },
    element("p", {}, t("signIn.words")),
    words.label,
    button(t("signIn.withCode"), () => {}, { type: "submit", class: "main" }),
  );
  const withPassword = element(
    "form",
    {
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        const digits = second.input.value.trim();
        const proof = { email: email.input.value.trim(), password: password.input.value };
        void send(digits ? { ...proof, second_factor_code: digits } : proof, [
          email.input,
          password.input,
        ]);
      },
    },
    email.label,
    password.label,
    second.label,
    button(t("signIn.withPassword"), () => {}, { type: "submit" }),
  );
  replace(
    place,
    heading(t("signIn.title")),
    notice ? element("p", { role: "status", class: "hint" }, notice) : null,
    said,
    withCode,
    fold(t("signIn.orPassword"), withPassword),
    fold(t("signIn.name"), name.label, element("p", { class: "muted" }, t("signIn.nameWords"))),
    element("p", { class: "muted" }, t("app.notADevice")),
  );
}
