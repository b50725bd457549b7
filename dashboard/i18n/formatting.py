"""Numbers and dates as the reader's region writes them, on pages and in charts.

A date or time is given in the zone of the moment itself.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import altair as alt
from babel import dates, numbers

from dashboard.i18n import language
from dashboard.i18n.language import _


def format_number(value: float, digits: int = 0) -> str:
    """Format with ``digits`` after the decimal sign."""
    pattern = "0." + "0" * digits if digits else "0"
    return numbers.format_decimal(value, format=pattern, locale=language.reader_locale())


def format_signed(value: float, digits: int = 1) -> str:
    """Format with a sign (U+2212 for minus), and none where it rounds to 0."""
    rounded = round(value, digits)
    sign = "" if rounded == 0 else "+" if rounded > 0 else "\u2212"
    return sign + format_number(abs(rounded), digits)


def _to_local(moment: datetime | str) -> datetime:
    """Drop the zone, so that babel does not convert the time to its own."""
    parsed = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return parsed.replace(tzinfo=None)


def format_day(moment: datetime | str) -> str:
    """Format as in "24 Nov"."""
    return dates.format_skeleton("MMMd", _to_local(moment), locale=language.reader_locale())


def format_long_day(moment: datetime | str) -> str:
    """Format as in "24 November 2026"."""
    return dates.format_date(_to_local(moment), "long", locale=language.reader_locale())


def format_weekday(moment: datetime | str) -> str:
    """Format as in "Tuesday"."""
    return dates.format_datetime(_to_local(moment), "EEEE", locale=language.reader_locale())


def format_time(moment: datetime | str) -> str:
    """Format as in "14:30"."""
    return dates.format_time(_to_local(moment).time(), "short", locale=language.reader_locale())


def format_zone(name: str) -> str:
    """Return the city of a zone of the IANA database: "Berlin" for "Europe/Berlin"."""
    return str(dates.get_timezone_location(name, language.reader_locale(), return_city=True))


def format_day_and_time(moment: datetime | str) -> str:
    """Format as in "24 Nov 14:30"."""
    return f"{format_day(moment)} {format_time(moment)}"


def date_field_format() -> str:
    """Return how a field for a date writes it: the order and the sign of the reader's region.

    Streamlit's fields know these with four digits of the year, and three signs.
    """
    pattern = str(language.reader_locale().date_formats["short"].pattern)
    order = "".join(dict.fromkeys(letter for letter in pattern if letter in "dMy"))
    sign = next((letter for letter in pattern if letter in "/-."), "-")
    parts = {"dMy": ("DD", "MM", "YYYY"), "Mdy": ("MM", "DD", "YYYY")}
    return sign.join(parts.get(order, ("YYYY", "MM", "DD")))


def axis_day_format() -> str:
    """Return the d3 time format of a day on a chart's axis."""
    pattern = str(language.reader_locale().datetime_skeletons["MMMd"].pattern)
    return re.sub(r"\bd\b", "%-d", pattern.replace("MMM", "%b"))


def axis_time_format() -> str:
    """Return the d3 time format of a moment in a tooltip."""
    twelve = "a" in str(language.reader_locale().time_formats["short"].pattern)
    return f"{axis_day_format()} {'%-I:%M %p' if twelve else '%H:%M'}"


def chart_locale() -> alt.Locale:
    """Return the names of months and days and the decimal sign, for charts."""
    locale = language.reader_locale()
    symbols = locale.number_symbols["latn"]
    months, short = (
        [dates.get_month_names(width, locale=locale)[k] for k in range(1, 13)]
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


def change_parts(change: dict[str, Any]) -> dict[str, str]:
    """Format ``before``, ``after``, and the ``change`` with its interval ``low`` to ``high``."""
    return {
        "before": format_number(change["before"], 1),
        "after": format_number(change["after"], 1),
        **{key: format_signed(change[key]) for key in ("change", "low", "high")},
    }


def slope_parts(row: dict[str, Any]) -> dict[str, str]:
    """Format the ``estimate`` with its interval, and the p value that the words rest on, with its
    relation (= or under): where there were several looks, that is the corrected one.
    """
    p_value = row["p_value"]
    adjusted = row.get("p_adjusted", p_value)
    words = _("under 0.001") if adjusted < 0.001 else f"= {format_number(adjusted, 3)}"
    if adjusted != p_value:
        words = _("{p_value} (corrected for several looks)").format(p_value=words)
    return {
        **{key: format_signed(row[key], 2) for key in ("estimate", "low", "high")},
        "p_value": words,
    }


def calmer_parts(index: dict[str, Any]) -> dict[str, str]:
    """Return the shares of usual moments that were less calm: an index of 30 is 70 of 100."""
    return {
        name: format_number(100 - index[end])
        for name, end in (("share", "value"), ("low", "high"), ("high", "low"))
    }
