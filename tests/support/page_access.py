"""What a page is for those who enlarge its text, or have no pointer."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.support.browser import wait_until_drawn

_MAX_PRESSES = 150

# Text that an element around it cuts off: one that hides what is outside of it.
_CUT_TEXT = """() => {
  const found = [];
  const main = document.querySelector('[data-testid="stMainBlockContainer"]');
  const walker = document.createTreeWalker(main, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, words = node.textContent.trim();
    if (!words || !node.parentElement.checkVisibility({checkVisibilityCSS: true})) continue;
    if (node.parentElement.closest('style, script, svg, [data-testid="stDataFrame"]')) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const text = range.getBoundingClientRect();
    if (!text.width || !text.height) continue;
    for (let box = node.parentElement; box && main.contains(box); box = box.parentElement) {
      const style = getComputedStyle(box), edge = box.getBoundingClientRect();
      if (edge.width <= 1 || edge.height <= 1) break;  // for screen readers alone
      const hides = value => value === "hidden" || value === "clip";
      const wide = hides(style.overflowX) && text.right > edge.right + 2;
      const high = hides(style.overflowY) && text.bottom > edge.bottom + 4;
      if (wide || high) { found.push(words.slice(0, 60)); break; }
    }
  }
  return [...new Set(found)];
}"""

# What a keyboard has to reach: a group of which the arrow keys choose counts once.
_MARK_REACHABLE = """() => {
  const main = document.querySelector('[data-testid="stMain"]');
  const wanted = 'a[href], button, input, select, textarea, summary, [role="radio"], [role="tab"]';
  let count = 0;
  for (const element of main.querySelectorAll(wanted)) {
    if (element.disabled || element.closest('[inert], [aria-hidden="true"]')) continue;
    if (element.closest('.vega-embed, [data-testid="stDataFrame"]')) continue;
    if (!element.checkVisibility({checkVisibilityCSS: true, checkOpacity: true})) continue;
    if (element.tabIndex < 0 && !element.matches('[role="radio"], [role="tab"]')) continue;
    const group = element.closest('[role="radiogroup"], [role="tablist"]');
    const place = group ?? element;
    if (!place.dataset.reach) place.dataset.reach = String(++count);
  }
  return count;
}"""

_WHERE = """() => {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const place = element.closest('[data-reach]');
  const box = element.getBoundingClientRect(), x = box.left + box.width / 2;
  const seen = box.bottom > 0 && box.top < innerHeight;
  const first = element === window.firstReached;
  window.firstReached ??= element;
  return {reach: place?.dataset.reach ?? null, seen, first,
          words: element.outerHTML.slice(0, 120), x};
}"""


def enlarged_text_faults(page: Page) -> list[str]:
    """Return what is lost where text is twice as large: cut off, or wider than the window."""
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    try:
        page.wait_for_timeout(400)
        wait_until_drawn(page)
        main = page.get_by_test_id("stMain")
        wide = main.evaluate("element => element.scrollWidth - element.clientWidth")
        found = [f"{wide} px too wide at 200% text"] if wide > 1 else []
        return found + [f"cut at 200% text: {words}" for words in page.evaluate(_CUT_TEXT)]
    finally:
        page.evaluate("document.documentElement.style.fontSize = ''")


def keyboard_faults(page: Page) -> list[str]:
    """Walk through a page by Tab alone; return what was not reached or seen, or held the focus."""
    page.evaluate("() => { document.activeElement?.blur(); window.firstReached = undefined; }")
    count = page.evaluate(_MARK_REACHABLE)
    reached: set[str] = set()
    found, last, same, outside = [], "", 0, 0
    for _ in range(_MAX_PRESSES):
        page.keyboard.press("Tab")
        where = page.evaluate(_WHERE)
        if where is None:  # after the last element, before the first
            outside += 1
            if outside > 2:
                break
            continue
        if where["first"]:
            break
        if where["reach"] is not None:
            reached.add(where["reach"])
        if not where["seen"]:
            found.append(f"has the focus outside of the window: {where['words']}")
        same = same + 1 if where["words"] == last else 0
        last = where["words"]
        if same > 10:
            found.append(f"holds the focus: {last}")
            break
    missed = page.evaluate(
        "reached => [...document.querySelectorAll('[data-reach]')]"
        ".filter(each => !reached.includes(each.dataset.reach))"
        ".map(each => each.outerHTML.slice(0, 120))",
        sorted(reached),
    )
    page.evaluate("document.querySelectorAll('[data-reach]').forEach(e => delete e.dataset.reach)")
    if not count:
        found.append("nothing to reach by keyboard")
    return found + [f"not reached by keyboard: {words}" for words in missed]
