"""Words, numbers and dates for whoever reads: words in their language where there is a catalogue
of it (``locale/LANGUAGE/LC_MESSAGES/ebbtide.mo``), numbers and dates as their region writes them.

Every text of the pages goes through ``_`` (or is marked with ``N_`` where it stands before anybody
reads, and goes through ``_`` later), so that ``locale/ebbtide.pot`` holds all of them in one place:
CONTRIBUTING.md says how another language is added.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path

import altair as alt
import streamlit as st
from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_skeleton, format_time, get_month_names
from babel.numbers import format_decimal
from babel.support import NullTranslations, Translations

_FOLDER = Path(__file__).with_name("locale")
_DEFAULT = Locale("en", "GB")


def _(words: str) -> str:
    """The words in the reader's language."""
    return str(_catalogue(reader().language).gettext(words))


def N_(words: str) -> str:  # noqa: N802 - the name that gettext's tools know
    """Marks words that go through ``_`` when somebody reads them."""
    return words


def reader() -> Locale:
    """Whose language and region: what their browser says."""
    return _known(st.context.locale or "")


@cache
def _known(told: str) -> Locale:
    try:
        wanted = Locale.parse(told, sep="-")
    except (ValueError, UnknownLocaleError):
        return _DEFAULT
    language = wanted.language if (_FOLDER / wanted.language).is_dir() else "en"
    if wanted.territory is None:
        return _DEFAULT if language == "en" else Locale(language)
    try:
        return Locale(language, wanted.territory)  # English as written in Germany is known, too
    except UnknownLocaleError:
        return _DEFAULT if language == "en" else Locale(language)


@cache
def _catalogue(language: str) -> NullTranslations:
    return Translations.load(_FOLDER, [language], domain="ebbtide")


def number(value: float, digits: int = 0) -> str:
    """With so many digits after the point, or comma."""
    pattern = "0." + "0" * digits if digits else "0"
    return format_decimal(value, format=pattern, locale=reader())


def signed(value: float, digits: int = 1) -> str:
    """With its sign, a real minus, and no sign at 0."""
    rounded = round(value, digits)
    sign = "" if rounded == 0 else "+" if rounded > 0 else "\u2212"
    return sign + number(abs(rounded), digits)


def _moment(moment: datetime | str) -> datetime:
    return datetime.fromisoformat(moment) if isinstance(moment, str) else moment


def day(moment: datetime | str) -> str:
    """24 Nov, in the moment's own zone, as all of these."""
    return format_skeleton("MMMd", _moment(moment).replace(tzinfo=None), locale=reader())


def long_day(moment: datetime | str) -> str:
    """24 November 2026."""
    return format_date(_moment(moment).replace(tzinfo=None), "long", locale=reader())


def weekday(moment: datetime | str) -> str:
    """Tuesday."""
    return format_datetime(_moment(moment).replace(tzinfo=None), "EEEE", locale=reader())


def clock(moment: datetime | str) -> str:
    """14:30."""
    return format_time(_moment(moment).replace(tzinfo=None).time(), "short", locale=reader())


def day_and_time(moment: datetime | str) -> str:
    """24 Nov 14:30."""
    return f"{day(moment)} {clock(moment)}"


def axis_day() -> str:
    """The pattern of a day on a chart's axis."""
    month_first = str(reader().datetime_skeletons["MMMd"].pattern).startswith("M")
    return "%b %-d" if month_first else "%-d %b"


def axis_moment() -> str:
    """The pattern of a moment beside a point of a chart."""
    twelve = "a" in str(reader().time_formats["short"].pattern)
    return f"{axis_day()} {'%-I:%M %p' if twelve else '%H:%M'}"


def chart_locale() -> alt.Locale:
    """Names of months and the decimal sign, for charts."""
    locale = reader()
    symbols = locale.number_symbols["latn"]
    months, short = (
        [get_month_names(width, locale=locale)[k] for k in range(1, 13)]
        for width in ("wide", "abbreviated")
    )
    # Vega counts the days of a week from Sunday, CLDR from Monday.
    days, short_days = (
        [locale.days["format"][width][k] for k in (6, 0, 1, 2, 3, 4, 5)]
        for width in ("wide", "abbreviated")
    )
    return alt.Locale(
        number=alt.NumberLocale(
            currency=["", ""], decimal=symbols["decimal"], grouping=[3], thousands=symbols["group"]
        ),
        time=alt.TimeLocale(
            date="%x",
            dateTime="%c",
            time="%X",
            periods=["AM", "PM"],
            days=days,
            shortDays=short_days,
            months=months,
            shortMonths=short,
        ),
    )
