/** What one's therapist wrote and was not read yet. */

import { request, requestJson } from "../api.js";
import { button, element, replace } from "../dom.js";
import { formatMoment, t } from "../i18n.js";

/** @typedef {{id: string, words: string, author: string, written: string, seen: string | null}}
 *   Message */

/**
 * The messages that were not read yet; nothing where there are none, or there is no net.
 * @param {AbortSignal} signal
 * @returns {HTMLElement}
 */
export function messagesPart(signal) {
  const section = element("section", { "aria-label": t("messages.title"), hidden: true });
  void draw(section, signal);
  return section;
}

/**
 * @param {HTMLElement} section
 * @param {AbortSignal} signal
 */
async function draw(section, signal) {
  const found = await requestJson("GET", "/v1/messages").catch(() => null);
  if (!found || signal.aborted) return;
  const unread = /** @type {Message[]} */ (found.messages).filter((item) => item.seen === null);
  section.hidden = unread.length === 0;
  replace(
    section,
    ...unread.reverse().flatMap((item) => [
      element(
        "p",
        { class: "muted" },
        t("messages.from", { author: item.author, when: formatMoment(new Date(item.written)) }),
      ),
      element("p", {}, item.words),
      button(
        t("messages.seen"),
        async () => {
          await request("PUT", `/v1/messages/${item.id}/seen`).catch(() => null);
          await draw(section, signal);
        },
        { class: "quiet" },
      ),
    ]),
    element("p", { class: "muted" }, [t("messages.notice"), ...found.help].join(" ")),
  );
}
