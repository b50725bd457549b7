"""Streamlit's own English words, in the reader's language: what a screen reader says of its buttons
and fields, and the hints over them. Streamlit has no setting for them.
"""

from __future__ import annotations

import json

from dashboard.i18n.language import N_, _

# As Streamlit 1.67 has them.
_WHOLE = (
    N_("App pages"),
    N_("Choose date"),
    N_("Clear all"),
    N_("Clear value"),
    N_("Close"),
    N_("Close Search"),
    N_("Collapse sidebar"),
    N_("Copy to clipboard"),
    N_("Decrement"),
    N_("Download as CSV"),
    N_("Download as PNG"),
    N_("Expand sidebar"),
    N_("Fullscreen"),
    N_("Close fullscreen"),
    N_("Hide password"),
    N_("Increment"),
    N_("Main menu"),
    N_("Navigate to home page"),
    N_("Next month"),
    N_("No results"),
    N_("Open"),
    N_("Previous month"),
    N_("Scroll tabs left"),
    N_("Scroll tabs right"),
    N_("Search"),
    N_("Selected values"),
    N_("Show chart"),
    N_("Show data"),
    N_("Show password"),
    N_("Show/hide columns"),
)
# With the name of what they belong to: "Show data: ...", "Remove ...", "... — start".
_WITH_NAME = {
    "^Remove (.+)$": N_("Remove {name}"),
    "^Upload (.+)$": N_("Choose a file: {name}"),
    "^Help for (.+)$": N_("Help for {name}"),
    "^(.+) — start$": N_("{name}: from"),
    "^(.+) — end$": N_("{name}: until"),
}
_SCRIPT = """
(() => {
  const whole = __WHOLE__, named = __NAMED__.map(([words, to]) => [new RegExp(words, "s"), to]);
  const translate = (words) => {
    if (whole[words]) return whole[words];
    const [first, ...rest] = words.split(": ");
    if (rest.length && whole[first]) return `${whole[first]}: ${rest.join(": ")}`;
    for (const [pattern, to] of named) {
      const found = pattern.exec(words);
      if (found) return to.replace("{name}", () => found[1]);
    }
    return null;
  };
  const own = '[data-testid="stTooltipContent"], [role="tooltip"], [role="listbox"]';
  const visit = (root) => {
    const elements = [root, ...root.querySelectorAll("[aria-label], [title]")];
    for (const element of elements) for (const name of ["aria-label", "title"]) {
      const words = element.getAttribute(name);
      // Not what stays in English by itself: a translation is never translated again.
      const to = words && words !== element.ebbtideWords?.[name] && translate(words);
      if (!to) continue;
      (element.ebbtideWords ??= {})[name] = to;
      element.setAttribute(name, to);
    }
    const hints = [root.closest(own), ...root.querySelectorAll(own)].filter((each) => each);
    for (const hint of hints) {
      const texts = document.createTreeWalker(hint, NodeFilter.SHOW_TEXT);
      while (texts.nextNode()) {
        const to = whole[texts.currentNode.nodeValue.trim()];
        if (to) texts.currentNode.nodeValue = to;
      }
    }
  };
  window.ebbtideWidgets?.disconnect();
  window.ebbtideWidgets = new MutationObserver((changes) => {
    for (const change of changes) {
      if (change.type === "attributes") visit(change.target);
      else for (const node of change.addedNodes) if (node.nodeType === 1) visit(node);
    }
  });
  window.ebbtideWidgets.observe(document.body, {
    subtree: true, childList: true, attributes: true, attributeFilter: ["aria-label", "title"],
  });
  visit(document.body);
})();
"""


def widget_script() -> str:
    """Return the script that translates what Streamlit says, now and when it draws something."""
    whole = {words: _(words) for words in _WHOLE}
    named = [[pattern, _(words)] for pattern, words in _WITH_NAME.items()]
    # "</" would end the script that holds it.
    parts = {"__WHOLE__": json.dumps(whole), "__NAMED__": json.dumps(named)}
    script = _SCRIPT
    for mark, value in parts.items():
        script = script.replace(mark, value.replace("</", "<\\/"))
    return script
