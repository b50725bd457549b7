"""The page before a session as one page of PDF, in the letters of people's names: Latin of all
languages, Greek, Cyrillic. The font is that of the pages.
"""

from __future__ import annotations

from collections.abc import Callable

from font_source_sans_pro import font_files_ttf
from fpdf import FPDF

from dashboard.i18n.language import _, clock, long_day
from dashboard.reports.session_summary import CAVEAT, SessionSummary

_FONT = "Source Sans"
_FILES = {"": font_files_ttf["SourceSansPro"], "B": font_files_ttf["SourceSansProBold"]}


def session_pdf(page: SessionSummary) -> Callable[[], bytes]:
    """One page of A4, made when it is called: only then the font is read, which takes a while. The
    words are those of whoever reads now; where it is called, nobody does.
    """
    title = _("Before the session: {name}").format(name=page.name)
    made = f"{long_day(page.made)}, {clock(page.made)}" + (
        _(" - simulated data") if page.simulated else ""
    )
    caveat = _(CAVEAT)
    return lambda: _render(page, title, made, caveat)


def _render(page: SessionSummary, title: str, made: str, caveat: str) -> bytes:
    pdf = FPDF(format="A4")
    pdf.set_title(title)
    pdf.set_auto_page_break(False)
    pdf.set_margins(18, 16)
    for style, file in _FILES.items():
        pdf.add_font(_FONT, style, file)
    shown = _Shown(pdf)
    pdf.add_page()
    pdf.set_font(_FONT, "B", 16)
    pdf.cell(0, 9, shown(page.name), new_x="LMARGIN", new_y="NEXT")
    pdf.set_font(_FONT, "", 9)
    pdf.cell(0, 5, shown(made), new_x="LMARGIN", new_y="NEXT")
    for heading, lines in page.parts.items():
        pdf.ln(3)
        pdf.set_font(_FONT, "B", 11)
        pdf.cell(0, 6, shown(heading), new_x="LMARGIN", new_y="NEXT")
        pdf.set_font(_FONT, "", 10)
        for line in lines:
            if pdf.get_y() > 265:  # one page: what does not fit is on the screen
                break
            pdf.multi_cell(0, 5, shown(line[:600]), align="L", new_x="LMARGIN", new_y="NEXT")
    pdf.set_y(-20)
    pdf.set_font(_FONT, "", 8)
    pdf.multi_cell(0, 4, shown(caveat), align="L")
    return bytes(pdf.output())


class _Shown:
    """What the font can show; the rest as question marks, and not as empty boxes."""

    def __init__(self, pdf: FPDF) -> None:
        self._known = set.intersection(*(set(font.cmap) for font in pdf.fonts.values()))

    def __call__(self, words: str) -> str:
        plain = words.replace("\u202f", "\u00a0")
        return "".join(letter if ord(letter) in self._known else "?" for letter in plain)
