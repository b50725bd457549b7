"""The page for the next meeting as PDF: one sheet of A4 that is readable in black and white, tagged
for screen readers.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from dashboard.i18n.formatting import format_day
from dashboard.i18n.language import reader_locale
from dashboard.reports.meeting import DayMean, MeetingPage
from dashboard.reports.tagged_pdf import FONT, PrintableText, TaggedPdf

_MARGIN_MM, _PICTURE_MM = 18.0, 52.0
_LINES_FOR_WORDS, _LINE_MM = 4, 8.0
_END_MM = 297 - 16 - _LINES_FOR_WORDS * _LINE_MM - 8  # where the lines to write on begin
_MAX_CHARACTERS = 400  # of one line of text


def render_meeting_pdf(page: MeetingPage) -> bytes:
    """Render the page; what does not fit above the lines to write on is left out."""
    pdf = TaggedPdf(page.title, reader_locale().language)
    pdf.set_margins(_MARGIN_MM, 14)
    printable = PrintableText(pdf)

    def write(words: str, size: float, height: float, kind: str = "P") -> None:
        pdf.set_font(FONT, "" if kind == "P" else "B", size)
        with pdf.tagged(kind):
            pdf.multi_cell(0, height, printable(words), align="L", new_x="LMARGIN", new_y="NEXT")

    pdf.add_page()
    write(page.title, 15, 8, "H1")
    write(page.made, 9, 5)
    for place, (heading, lines) in enumerate(page.parts.items()):
        if pdf.get_y() > _END_MM - 12:
            break
        pdf.ln(2.5)
        write(heading, 11, 5.5, "H2")
        for line in lines:
            if pdf.get_y() > _END_MM - 6:
                break
            write(line[:_MAX_CHARACTERS], 10, 4.8)
        if place == 0 and any(day.pain is not None for day in page.days):
            pdf.ln(2)
            with pdf.tagged("Figure", page.picture_alternative):
                _draw(pdf, page.days, page.meetings, printable)
            write(page.picture_text, 9, 4.5)
    pdf.set_y(_END_MM)
    write(page.own_words, 11, 5.5, "H2")
    with pdf.artifact():
        for _line in range(_LINES_FOR_WORDS):
            pdf.ln(_LINE_MM)
            pdf.line(_MARGIN_MM, pdf.get_y(), 210 - _MARGIN_MM, pdf.get_y())
    pdf.set_y(-13)
    write(page.caveat, 8, 4)
    return bytes(pdf.output())


def _draw(
    pdf: TaggedPdf,
    days: list[DayMean],
    meetings: dict[date, int],
    printable: Callable[[str], str],
) -> None:
    """Draw the daily means. Pain and stress differ in shape and dash, not in colour."""
    left, right = _MARGIN_MM + 8, 210 - _MARGIN_MM
    top = pdf.get_y() + 3
    bottom = top + _PICTURE_MM - 9
    step = (right - left) / max(len(days) - 1, 1)

    def y(value: float) -> float:
        return bottom - value / 10 * (bottom - top)

    pdf.set_font(FONT, "", 8)
    for value in (0, 5, 10):
        pdf.set_draw_color(190)
        pdf.line(left, y(value), right, y(value))
        pdf.text(_MARGIN_MM + 1, y(value) + 1, str(value))
    pdf.set_draw_color(0)
    for place, item in enumerate(days):
        if item.day in meetings:
            pdf.set_dash_pattern(dash=0.6, gap=1.2)
            pdf.line(left + place * step, top, left + place * step, bottom)
            pdf.set_dash_pattern()
            pdf.text(left + place * step - 1, top - 0.8, str(meetings[item.day]))
    for place in range(0, len(days), 7):
        pdf.text(left + place * step - 4, bottom + 5, printable(format_day(_noon(days[place]))))
    for name in ("stress", "pain"):
        before: tuple[float, float] | None = None
        for place, item in enumerate(days):
            rated = item.stress if name == "stress" else item.pain
            if rated is None:
                before = None  # no line over a day without a rating
                continue
            at = (left + place * step, y(rated))
            if name == "stress":
                pdf.set_dash_pattern(dash=1.4, gap=1)
            if before is not None:
                pdf.line(*before, *at)
            pdf.set_dash_pattern()
            if name == "stress":
                pdf.set_fill_color(255)
                pdf.rect(at[0] - 1, at[1] - 1, 2, 2, style="DF")
            else:
                pdf.set_fill_color(0)
                pdf.circle(at[0], at[1], 1.1, style="F")
            before = at
    pdf.set_y(bottom + 7)


def _noon(item: DayMean) -> str:
    return f"{item.day.isoformat()}T12:00:00+00:00"
