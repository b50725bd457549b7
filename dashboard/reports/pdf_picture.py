"""The picture of a summary before a session, drawn in lines that a black and white printer shows:
series differ in dashes and marks, not in colour.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from dashboard.i18n.formatting import format_day
from dashboard.i18n.language import _
from dashboard.reports.tagged_pdf import TaggedPdf
from dashboard.session_picture import SessionPicture

_LEFT, _WIDTH = 26.0, 166.0  # mm
_RATINGS_MM, _HEART_MM, _SPACE_MM = 42.0, 18.0, 3.0
_GREY, _BLACK = 150, 0
_TICKS = 6
_MAX_GAP = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class PictureWords:
    """The words of a picture, in the reader's language. ``ticks``: days on the time axis."""

    pain: str
    stress: str
    index: str
    alternative: str
    ticks: list[tuple[datetime, str]]


def picture_words(picture: SessionPicture) -> PictureWords:
    """Translate what the picture says: it is drawn where there is no reader's locale."""
    span = picture.end - picture.start
    days = [picture.start + span * k / (_TICKS - 1) for k in range(_TICKS)]
    return PictureWords(
        pain=_("Pain"),
        stress=_("Stress"),
        index=_("Stress index"),
        alternative=_("Pain and stress day by day, with meetings and practices, and the heart."),
        ticks=[(day, format_day(day)) for day in days],
    )


def draw_picture(
    pdf: TaggedPdf, picture: SessionPicture, words: PictureWords, printable: Callable[[str], str]
) -> None:
    """Draw ratings, heart, meetings and practices below where the page is now."""
    pdf.ln(1.5)
    with pdf.tagged("Figure", words.alternative):
        _draw(pdf, picture, words, printable)
    pdf.set_line_width(0.2)
    pdf.set_draw_color(_BLACK)
    pdf.set_dash_pattern()


def _draw(
    pdf: TaggedPdf, picture: SessionPicture, words: PictureWords, printable: Callable[[str], str]
) -> None:
    top = pdf.get_y() + 4
    span = picture.end - picture.start

    def x_of(moment: datetime) -> float:
        return _LEFT + _WIDTH * ((moment - picture.start) / span)

    def panel(begin: float, height: float, highest: float, ticks: tuple[int, ...]) -> None:
        pdf.set_draw_color(_GREY)
        pdf.set_line_width(0.1)
        pdf.set_font_size(7)
        for value in ticks:
            y = begin + height * (1 - value / highest)
            pdf.line(_LEFT, y, _LEFT + _WIDTH, y)
            pdf.text(_LEFT - 5, y + 1, str(value))

    bottom = top + _RATINGS_MM
    panel(top, _RATINGS_MM, 10, (0, 2, 4, 6, 8, 10))
    if picture.heart:
        heart_top = bottom + _SPACE_MM
        bottom = heart_top + _HEART_MM
        panel(heart_top, _HEART_MM, 100, (0, 50, 100))
        _draw_heart(pdf, picture, heart_top, x_of)
        pdf.text(_LEFT + 1, heart_top + 3, printable(words.index))
    _draw_meetings(pdf, picture, top, bottom, x_of)
    for column, dash in ((0, False), (1, True)):
        _draw_series(pdf, picture, column, dash, top, x_of)
    pdf.set_fill_color(90)
    for at in picture.practices:
        x, y = x_of(at), top + _RATINGS_MM
        pdf.polygon([(x - 0.9, y), (x + 0.9, y), (x, y - 1.6)], style="F")
    pdf.set_font_size(8)
    for k, (at, label) in enumerate(words.ticks):
        text = printable(label)
        shift = (0.0, 0.5, 1.0)[0 if k == 0 else 2 if k == len(words.ticks) - 1 else 1]
        pdf.text(x_of(at) - shift * pdf.get_string_width(text), bottom + 4, text)
    # The key, above: a line with its mark, as it is drawn.
    for k, (name, dash) in enumerate(((words.pain, False), (words.stress, True))):
        x = _LEFT + 28 * k
        _line_style(pdf, dash)
        pdf.line(x, top - 3, x + 9, top - 3)
        pdf.set_dash_pattern()
        _mark(pdf, x + 4.5, top - 3, dash)
        pdf.text(x + 10.5, top - 2, printable(name))
    pdf.set_y(bottom + 5.5)


def _line_style(pdf: TaggedPdf, dash: bool) -> None:
    pdf.set_draw_color(_BLACK)
    pdf.set_line_width(0.35)
    if dash:
        pdf.set_dash_pattern(dash=1.6, gap=1.0)
    else:
        pdf.set_dash_pattern()


def _mark(pdf: TaggedPdf, x: float, y: float, is_square: bool) -> None:
    pdf.set_fill_color(_BLACK if not is_square else 255)
    pdf.set_line_width(0.15)
    if is_square:
        pdf.rect(x - 0.5, y - 0.5, 1.0, 1.0, style="DF")
    else:
        pdf.circle(x, y, 0.5, style="DF")


def _draw_series(
    pdf: TaggedPdf,
    picture: SessionPicture,
    column: int,
    dash: bool,
    top: float,
    x_of: Callable[[datetime], float],
) -> None:
    values = [(at, (pain, stress)[column]) for at, pain, stress in picture.days]
    points = [(at, value) for at, value in values if value is not None]

    def y_of(value: float) -> float:
        return top + _RATINGS_MM * (1 - value / 10)

    _line_style(pdf, dash)
    for (before, first), (after, second) in pairwise(points):
        if after - before <= _MAX_GAP:
            pdf.line(x_of(before), y_of(first), x_of(after), y_of(second))
    pdf.set_dash_pattern()
    for at, value in points:
        _mark(pdf, x_of(at), y_of(value), dash)


def _draw_heart(
    pdf: TaggedPdf, picture: SessionPicture, top: float, x_of: Callable[[datetime], float]
) -> None:
    def y_of(value: float) -> float:
        return top + _HEART_MM * (1 - value / 100)

    for item in picture.heart:
        x = (x_of(item.start) + x_of(item.end)) / 2
        pdf.set_draw_color(_GREY)
        pdf.set_line_width(0.6)
        pdf.line(x, y_of(item.low), x, y_of(item.high))
        pdf.set_draw_color(_BLACK)
        _mark(pdf, x, y_of(item.value), False)


def _draw_meetings(
    pdf: TaggedPdf,
    picture: SessionPicture,
    top: float,
    bottom: float,
    x_of: Callable[[datetime], float],
) -> None:
    pdf.set_draw_color(90)
    pdf.set_line_width(0.2)
    pdf.set_font_size(7)
    pdf.set_dash_pattern(dash=0.8, gap=0.8)
    for at, number in picture.sessions:
        pdf.line(x_of(at), top, x_of(at), bottom)
        pdf.text(x_of(at) + 0.5, top + 2.5, str(number))
    pdf.set_dash_pattern(dash=0.3, gap=0.8)
    for at in picture.starts:
        pdf.line(x_of(at), top, x_of(at), bottom)
    pdf.set_dash_pattern()
