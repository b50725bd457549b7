"""The summary before a session as one page of PDF.

Source Sans, the font of the pages, covers Latin, Greek and Cyrillic.
"""

from __future__ import annotations

from collections.abc import Callable

from font_source_sans_pro import font_files_ttf
from fpdf import FPDF
from fpdf.fonts import TTFFont

from dashboard.i18n.formatting import format_long_day, format_time
from dashboard.i18n.language import _, reader_locale
from dashboard.reports.session_summary import CAVEAT, SessionSummary

_FONT = "Source Sans"
_FILES = {"": font_files_ttf["SourceSansPro"], "B": font_files_ttf["SourceSansProBold"]}


def session_pdf(page: SessionSummary) -> Callable[[], bytes]:
    """Return a function that renders one page of A4.

    The function loads the font when it is called, since that is slow. Streamlit calls it outside a
    session, where there is no reader's locale: texts are translated here.
    """
    title = _("Before the session: {name}").format(name=page.name)
    made = f"{format_long_day(page.made)}, {format_time(page.made)}" + (
        _(" - simulated data") if page.simulated else ""
    )
    caveat, tag = _(CAVEAT), reader_locale().language
    return lambda: _render(page, title, made, caveat, tag)


def _render(page: SessionSummary, title: str, made: str, caveat: str, tag: str) -> bytes:
    pdf = FPDF(format="A4")
    pdf.set_title(title)
    pdf.set_lang(tag)
    pdf.set_auto_page_break(False)
    pdf.set_margins(18, 16)
    for style, file in _FILES.items():
        pdf.add_font(_FONT, style, file)
    printable = _PrintableText(pdf)
    pdf.add_page()
    pdf.set_font(_FONT, "B", 16)
    pdf.cell(0, 9, printable(page.name), new_x="LMARGIN", new_y="NEXT")
    pdf.set_font(_FONT, "", 9)
    pdf.cell(0, 5, printable(made), new_x="LMARGIN", new_y="NEXT")
    for heading, lines in page.parts.items():
        pdf.ln(3)
        pdf.set_font(_FONT, "B", 11)
        pdf.cell(0, 6, printable(heading), new_x="LMARGIN", new_y="NEXT")
        pdf.set_font(_FONT, "", 10)
        for line in lines:
            if pdf.get_y() > 265:  # one page; the screen has the rest
                break
            pdf.multi_cell(0, 5, printable(line[:600]), align="L", new_x="LMARGIN", new_y="NEXT")
    pdf.set_y(-20)
    pdf.set_font(_FONT, "", 8)
    pdf.multi_cell(0, 4, printable(caveat), align="L")
    return bytes(pdf.output())


class _PrintableText:
    """Replace characters without a glyph in the font by question marks."""

    def __init__(self, pdf: FPDF) -> None:
        fonts = [font for font in pdf.fonts.values() if isinstance(font, TTFFont)]
        self._code_points = set.intersection(*(set(font.cmap) for font in fonts))

    def __call__(self, words: str) -> str:
        plain = words.replace("\u202f", "\u00a0")
        return "".join(char if ord(char) in self._code_points else "?" for char in plain)
