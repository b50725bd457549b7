"""The summary before a session as PDF: one A4 page, black and white, tagged for screen readers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from fpdf import FPDF

from dashboard.i18n.formatting import format_long_day, format_time
from dashboard.i18n.language import _, reader_locale
from dashboard.reports.pdf_picture import PictureWords, draw_picture, picture_words
from dashboard.reports.session_summary import CAVEAT, HEART_WORDS, PICTURE_WORDS, SessionSummary
from dashboard.reports.tagged_pdf import FONT, PrintableText, TaggedPdf

_END_MM = 268.0  # where the text ends: one page; the screen has the rest


@dataclass(frozen=True, slots=True)
class _Words:
    title: str
    made: str
    caveat: str
    tag: str
    picture: PictureWords | None
    below: str


def session_pdf(page: SessionSummary) -> Callable[[], bytes]:
    """Return a function that renders one page of A4.

    The function loads the font when it is called, since that is slow. Streamlit calls it outside a
    session, where there is no reader's locale: texts are translated here.
    """
    made = f"{format_long_day(page.made)}, {format_time(page.made)}" + (
        _(" - simulated data") if page.simulated else ""
    )
    picture = page.picture
    words = _Words(
        _("Before the session: {name}").format(name=page.name),
        made,
        _(CAVEAT),
        reader_locale().language,
        None if picture is None else picture_words(picture),
        _(PICTURE_WORDS) + (f" {_(HEART_WORDS)}" if picture and picture.heart else ""),
    )
    return lambda: _render(page, words)


def _render(page: SessionSummary, words: _Words) -> bytes:
    pdf = TaggedPdf(words.title, words.tag)
    pdf.set_margins(18, 14)
    printable = PrintableText(pdf)
    pdf.add_page()
    pdf.set_font(FONT, "B", 16)
    with pdf.tagged("H1"):
        pdf.cell(0, 8, printable(page.name), new_x="LMARGIN", new_y="NEXT")
    pdf.set_font(FONT, "", 9)
    with pdf.tagged("P"):
        pdf.cell(0, 4.5, printable(words.made), new_x="LMARGIN", new_y="NEXT")
    for number, (heading, lines) in enumerate(page.parts.items()):
        if pdf.get_y() > _END_MM - 12:
            break
        pdf.ln(1.8)
        pdf.set_font(FONT, "B", 11)
        with pdf.tagged("H2"):
            pdf.cell(0, 5.5, printable(heading), new_x="LMARGIN", new_y="NEXT")
        pdf.set_font(FONT, "", 9.5)
        for line in lines:
            if pdf.get_y() > _END_MM - 5:
                break
            with pdf.tagged("P"):
                text = _fit(pdf, printable(line[:600]), _END_MM - pdf.get_y())
                pdf.multi_cell(0, 4.5, text, align="L", new_x="LMARGIN", new_y="NEXT")
        if number == 0 and page.picture is not None and words.picture is not None:
            draw_picture(pdf, page.picture, words.picture, printable)
            pdf.set_font(FONT, "", 8)
            with pdf.tagged("P"):
                pdf.multi_cell(
                    0, 3.6, printable(words.below), align="L", new_x="LMARGIN", new_y="NEXT"
                )
    pdf.set_y(-20)
    pdf.set_font(FONT, "", 8)
    with pdf.tagged("P"):
        pdf.multi_cell(0, 4, printable(words.caveat), align="L")
    return bytes(pdf.output())


def _fit(pdf: FPDF, text: str, height_mm: float) -> str:
    """Cut a text after as many lines as there is room for."""
    lines = cast("list[str]", pdf.multi_cell(0, 4.5, text, align="L", dry_run=True, output="LINES"))
    room = int(height_mm // 4.5)
    return text if len(lines) <= room else " ".join(lines[:room]) + " ..."
