"""Styles of every page: contrast, targets for a finger, and the room that a phone has."""

from __future__ import annotations

from dashboard.charts import palette
from dashboard.components.scale import SCALE_STYLE

PHONE = "@media (max-width: 767px)"  # where Streamlit puts the navigation into a drawer
DRAWER_BUTTON = '[data-testid="stExpandSidebarButton"]'
_MAIN = '[data-testid="stMainBlockContainer"]'
_PRESSED = ", ".join(
    f'[data-testid="{name}"]'
    for name in ("stButton", "stFormSubmitButton", "stDownloadButton", "stButtonGroup", "stPopover")
)
_TABS = ".st-key-phone_tabs"

# Too little contrast for small text (WCAG 1.4.3) have Streamlit's own grey, its white on the light
# accent of the dark theme, and its colours of code.
_CONTRAST = f"""
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] p {{
  color: inherit !important; opacity: .85; }}
button[data-testid^="stBaseButton-primary"]:not(:disabled) {{
  color: light-dark(#ffffff, {palette.DARK_BACKGROUND}) !important; }}
@media (prefers-contrast: more) {{
  [data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] p {{ opacity: 1; }}
  {_MAIN} :is(button, summary, details, input) {{ border-color: currentColor !important; }} }}
[data-testid="stCode"] .token {{ color: inherit !important; }}
a.ebbtide-button {{ display: block; padding: .6rem 1rem; border: 1px solid currentColor;
  border-radius: .5rem; text-align: center; text-decoration: none; color: inherit !important; }}
a.ebbtide-button:hover, a.ebbtide-button:focus-visible {{ text-decoration: underline; }}"""

# What is touched is 44 pixels high (WCAG 2.5.5), save for the width of a scale's steps.
_TARGETS = f"""
{_MAIN} :is({_PRESSED}) button, {_MAIN} [data-testid="stPageLink"] a,
[data-testid="stSidebarNavLink"], {_MAIN} [data-testid="stFileUploader"] button,
{_MAIN} [data-testid="stExpander"] summary {{ min-height: 44px; }}
{_MAIN} :is([data-testid="stCheckbox"], [data-testid="stRadio"]) label {{
  min-height: 44px; align-items: center; }}
{_MAIN} :is([data-baseweb="input"], [data-baseweb="select"] > div) {{ min-height: 44px; }}
{_MAIN} [data-testid="stNumberInput"] button {{ width: 44px; }}
@media (pointer: coarse) {{
  [data-testid="stElementToolbarButton"] button {{ min-width: 44px; min-height: 44px; }} }}
@media (prefers-reduced-motion: reduce) {{
  *, *::before, *::after {{ animation: none !important; transition: none !important; }} }}"""

# Links are as long as their words. Of Streamlit's own buttons, those are left out that say nothing
# to a person here: an address of each heading, and the source of a chart.
_WORDS = f"""
{_MAIN} [data-testid="stPageLink"] a, {_MAIN} [data-testid="stPageLink"] a * {{
  white-space: normal !important; overflow: visible; text-overflow: clip; }}
{_MAIN} [data-testid="stTable"] :is(td, td *) {{ overflow-wrap: anywhere; }}
[data-testid="stHeaderActionElements"],
[data-testid="stElementToolbarButton"]:has(button[aria-label^="Copy Vega-Lite spec"]) {{
  display: none !important; }}"""

# Streamlit's margins and headings are those of a desk: on a phone they cost a third of a screen.
_ON_A_PHONE = f"""
{_TABS} {{ display: none; }}
{PHONE} {{
  {_MAIN} {{ padding-top: 4rem; padding-bottom: 1rem; }}
  {_MAIN}:has({_TABS}) {{ padding-bottom: 5.5rem; }}
  {_MAIN} [data-testid="stVerticalBlock"] {{ gap: .65rem; }}
  {_MAIN} h1 {{ font-size: 1.9rem; padding: .4rem 0; hyphens: auto; }}
  {_MAIN} h2 {{ font-size: 1.5rem; }}
  {_MAIN} h3 {{ font-size: 1.3rem; padding: .3rem 0; }}
  {_MAIN} hr {{ margin: .8rem 0; }}
  {_MAIN} [data-testid="stButtonGroup"] button {{ padding-inline: .6rem; }}
  {_MAIN} [data-testid="stRadio"] [role="radiogroup"] {{ gap: 0 .8rem; }}
  {DRAWER_BUTTON} {{ width: auto !important; min-height: 44px; padding: 0 .5rem;
    gap: .4rem; font-size: 1rem; }}
  {_TABS} {{ display: flex; flex-wrap: nowrap; position: fixed; z-index: 90;
    inset: auto 0 0; gap: 0; padding: 0 0 env(safe-area-inset-bottom);
    background: light-dark({palette.LIGHT_BACKGROUND}, {palette.DARK_BACKGROUND});
    border-top: 1px solid {palette.MUTED}; }}
  {_TABS} > * {{ flex: 1 1 0; width: auto !important; }}
  {_TABS} a {{ min-height: 3.3rem !important; justify-content: center; border-radius: 0; }}
  {_TABS} [data-testid="stPageLink"] {{ width: 100%; }}
  {_TABS} [data-testid="stPageLink"] a * {{ white-space: nowrap !important; }}
}}"""

STYLE = f"<style>{_CONTRAST}{_TARGETS}{_WORDS}{_ON_A_PHONE}{SCALE_STYLE}</style>"
