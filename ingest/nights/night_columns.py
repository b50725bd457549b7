"""Which column of a table of nights holds what, by its name.

Where it may be two things (``hrv`` may be RMSSD or SDNN, a figure of a date may be of the night,
the morning or the whole day), or two columns may be the same thing, the table is refused in words.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ebbtide.errors import EbbtideError
from ebbtide.timestamps import EARLIEST, LATEST, MILLISECOND, SECOND, to_datetime
from ingest.files.local_times import parse_clock
from ingest.nights.clock import is_of_this_century
from ingest.nights.members import Member
from ingest.nights.night_file import find_delimiter, plain_name
from ingest.nights.people import find_people, plain_column

_OF_SLEEP = re.compile(
    r"night|sleep|nocturn|asleep|bedtime|nacht|nächt|schlaf|nuit|nocturne|sommeil|noche|sueño|sueno"
    r"|notte|sonno|slaap|endormissement|dormir"
)
# The first is the name that a remedy asks for: it wins over the others.
_NIGHT_NAMES = (
    *("night", "night_of", "nacht", "date_of_night", "sleep_date", "night_date"),
    *("nuit", "noche", "notte"),
)
_DAY_NAMES = (
    *("day", "date", "datum", "tag", "calendar_date", "summary_date", "fecha", "data", "jour"),
    *("giorno", "dia", "día", "dag"),
)
# Of the date on which a night began: whoever went to bed after midnight wrote that of its end.
_STARTING_NAMES = (
    *("night_starting", "night_beginning", "starting_night", "bed_date", "date_of_bed", "evening"),
    *("date_to_bed", "night_start", "night_start_date", "sleep_start_date", "abend", "soir"),
    *("start_date", "datum_abends", "nacht_ab"),
)
_BEGIN = re.compile(
    r"(sleep|night|bedtime|schlaf|nacht)?_?"
    r"(start|begin|beginning|onset|beginns?|from|bedtime|fell_asleep|début|debut|coucher"
    r"|endormissement|einschlaf(zeit|en)|eingeschlafen|inicio|inizio)"
)
_END = re.compile(
    r"(sleep|night|bedtime|wake|schlaf|nacht)?_?"
    r"(end|stop|offset_time|endes?|wake|woke|until|fine?|réveil|reveil|lever|aufwach(zeit|en)"
    r"|aufgewacht|despertar|risveglio)"
)
_TIMES = frozenset(
    {
        *("", "time", "at", "date", "datetime", "timestamp", "local", "ns", "up", "of", "utc"),
        *("gmt", "sleep", "night", "du", "de", "del", "sommeil", "heure", "zeit", "schlafs"),
        *("sueño", "sonno", "iso", "epoch", "ms", "s", "unix"),
    }
)
_UTC = re.compile(r"(^|_)(utc|gmt)(_|$)")
_INTERVALS = re.compile(r"(^|_)(rrs?|rri|nns?|nni|ibis?|ppi?|rr_intervals?)(_|$)")
_KINDS = frozenset({"type", "kind", "sleep_type", "typ", "art", "nap", "is_nap", "nickerchen"})
_LOGARITHM = re.compile(r"(^|_)(ln|log)")
_RATE = re.compile(
    r"(^|_)(hr|bpm|heart_?rate|herzfrequenz|puls|pulse|fréquence_cardiaque|frequence_cardiaque"
    r"|frecuencia_cardiaca|frequenza_cardiaca|hartslag)(_|$)"
)
# Of another time than the night, or of many nights.
_OTHER_TIME = (
    r"(^|_)(\d*d|\d*days?|daily|daytime|tag|tags|tages\w*|week\w*|woche\w*|month\w*|monat\w*"
    r"|rolling|trend\w*|usual|typical|normal\w*|norm|morning|morgens?|evening|abends?|awake|waking"
    r"|wach|goal|target|ziel\w*|percent\w*|pct|prozent|quantile|rank|z|range|ratio|diff\w*)(_|$)"
)
_OTHER_RATE = re.compile(
    r"rest|rhr|min|low|max|high|peak|std|sd|recovery|ruhe|delta|change|zone|reserve|exercise|train"
    rf"|walk|baseline|{_OTHER_TIME}"
)
_OTHER_HRV = re.compile(
    r"min|max|std|sd$|delta|change|status|baseline|balance|score|cv|count|(^|_)index(_|$)"
    rf"|{_OTHER_TIME}"
)
_HRV = re.compile(r"rmssd|sdnn|hrv|hfv|vfc|herzfrequenzvariabilit|heart_rate_variability")
_SECONDS = re.compile(r"(^|_)(s|sec|secs|seconds?|sek|sekunden?)(_|$)")
_OTHER_UNIT = re.compile(r"(^|_)(us|µs|usec|microseconds?)(_|$)")
_GARMIN = ("overnight_hrv", "7d_avg")  # Garmin Connect's table of HRV status, which is RMSSD
# Of Ebbtide's own table, beside those that other tables have too.
_OWN = ("basis", "windows", "steps", "offset_s", "low_quarter_hr_bpm", "missing")
_OWN_NAMES = frozenset({*_OWN, "simulated"})
_SEPARATOR_LINE = re.compile(r"sep=[,;\t|]")
_MAX_TITLE_LINES = 12  # before the names


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table by what they hold, as the table names them in lower case."""

    date: str | None
    begin: str | None
    end: str | None
    rmssd: str | None
    sdnn: str | None
    rate: str | None
    source: str | None
    person: str | None
    kind: str | None
    row_number: str | None
    delimiter: str
    skip: int
    unread: tuple[str, ...]


def matches(member: Member) -> bool:
    """Whether a file is a table of nights, by the names of its columns and its first row."""
    if member.is_json or "\x00" in member.text[:200]:
        return False
    names = {_plain(name): name for name in _names(member.text)}
    if len(names) < 2 or any(_INTERVALS.search(name) for name in names):
        return False
    if not any(_is_hrv(name) for name in names):
        return False
    times = _first_times(names)
    if times is None or any(_OF_SLEEP.search(name) for name in names):
        return _is_dated(names)
    return not _is_of_windows(member.text, times)


def find_columns(member: Member) -> Columns:
    """Find what each column holds. Raises EbbtideError where that has no sure answer."""
    own = _names(member.text)
    names = {_plain(name): name for name in own}
    _refuse_research(member, names)
    times = _find_times(member, names)
    day = None if times is not None else _find_date(member, names)
    starting = next((names[name] for name in _STARTING_NAMES if name in names), None)
    if times is None and day is None and starting is not None:
        raise EbbtideError(
            f"The column {starting!r} of {member.base} has the date on which a night began, and a "
            "night is named by the one on which it ended.",
            "Give that date in a column 'night', or both times in 'sleep_start' and 'sleep_end'.",
        )
    all_names = names
    if times is None and not _OF_SLEEP.search(day or ""):
        # Then each figure says it for itself.
        names = {name: own for name, own in names.items() if _OF_SLEEP.search(name)}
    if times is None and not any(_is_hrv(name) for name in names):
        raise EbbtideError(
            f"{member.base} has a figure a day and does not say whether it is of the night, of the "
            "morning or of the whole day.",
            f"If it is of the night that ended on that date, name the column {day!r} 'night'.",
        )
    rmssd = _find_measure(member, names, "rmssd", "rmssd_ms")
    sdnn = _find_measure(member, names, "sdnn", "sdnn_ms")
    if rmssd is None and sdnn is None and set(_GARMIN) <= set(all_names):
        rmssd = all_names[_GARMIN[0]]
    if rmssd is None and sdnn is None:
        _refuse_vague(member, names)
    rates = [
        name
        for name in names
        if _RATE.search(name) and not _is_hrv(name) and not _OTHER_RATE.search(name)
    ]
    rate = names.get("mean_hr_bpm")
    if rate is None and len(rates) == 1:
        rate = names[rates[0]]
    person, number = find_people(all_names.values())
    source = next((all_names[name] for name in ("source", "device") if name in all_names), None)
    kind = next((all_names[name] for name in all_names if name in _KINDS), None)
    begin, end = times or (None, None)
    read = {day, begin, end, rmssd, sdnn, rate, person, source, kind, number} - {None}
    read |= {own for name, own in all_names.items() if name in (*_OWN, "night")}
    _refuse_twice(member, own, {_plain(name or "") for name in read})
    unread = tuple(plain_name(name) for name in own if name and name not in read)
    delimiter = find_delimiter(_header(member.text)[1])
    skip = _header(member.text)[0]
    return Columns(
        *(day, begin, end, rmssd, sdnn, rate, source, person, kind, number),
        *(delimiter, skip, unread),
    )


def is_in_utc(column: str | None) -> bool:
    """Whether the name of a column of times says that they are in UTC."""
    return column is not None and _UTC.search(plain_column(column)) is not None


def is_in_seconds(column: str | None) -> bool:
    """Whether the name of a column of RMSSD or SDNN says that it is in seconds."""
    return column is not None and _SECONDS.search(plain_column(column)) is not None


def read_date(text: str) -> date | None:
    """A date as 2026-11-24; ``iso_date`` makes others such, as far as they have one reading.

    With a time from noon on it is none: the night after it ends on the next date. So is one with an
    offset, whose local date may be another.
    """
    try:
        moment = datetime.fromisoformat(text.replace("/", "-"))
    except ValueError:
        return None
    is_midnight = moment.time().replace(tzinfo=None) == datetime.min.time()
    if not is_midnight and (moment.hour >= 12 or moment.tzinfo is not None):
        return None
    return moment.date() if is_of_this_century(moment.date()) else None


def read_time(text: str) -> datetime | None:
    """A time of this century, with its offset if it has one; or s, ms or ns since 1970."""
    moment: datetime | None
    scale = {10: SECOND, 13: MILLISECOND, 18: 1, 19: 1}.get(len(text)) if text.isdecimal() else None
    if scale is not None:
        instant_ns = int(text) * scale
        moment = to_datetime(instant_ns) if EARLIEST <= instant_ns < LATEST else None
    else:
        try:
            moment = datetime.fromisoformat(text.replace("/", "-"))
        except ValueError:
            found = parse_clock(text)
            moment = None if found is None else found[0]
    return None if moment is None or not is_of_this_century(moment) else moment


def _is_of_windows(text: str, times: tuple[str, str]) -> bool:
    """Whether the first row is too short for a night: a table of windows has the same columns."""
    lines = text.splitlines()[_header(text)[0] :]
    row = dict(
        zip(_names(text), _cells(lines[1], lines[0]) if len(lines) > 1 else (), strict=False)
    )
    begin, end = (read_time(row.get(name, "")) for name in times)
    try:
        return begin is None or end is None or end - begin < timedelta(hours=3)
    except TypeError:  # one of them has an offset: the reader says so
        return False


def _header(text: str) -> tuple[int, str]:
    """How many lines come before the names, and the line of the names.

    People write a title above a table, or how it was made. The names are the first line that has
    those of a date or of times, and of what was measured; where there is none, the first line.
    """
    lines = text.split("\n", _MAX_TITLE_LINES + 1)
    first = int(_SEPARATOR_LINE.fullmatch(lines[0].strip("\r")) is not None)  # Excel reads it
    for skip, line in enumerate(lines[first:_MAX_TITLE_LINES], first):
        names = [_plain(cell.lower()) for cell in _cells(line.strip("\r"), line)]
        if len(names) > 1 and any(map(_is_hrv, names)) and _is_dated(names):
            return skip, line.strip("\r")
    return first, next(iter(lines[first].splitlines()), "") if len(lines) > first else ""


def _is_dated(names: Iterable[str]) -> bool:
    """Whether some names are of a date, or of when a night began and ended."""
    known = {name: name for name in names}
    dates = (*_NIGHT_NAMES, *_DAY_NAMES, *_STARTING_NAMES)
    is_date = any(name in known for name in dates)
    return is_date or _first_times(known) is not None


def _names(text: str) -> list[str]:
    first = _header(text)[1]
    return [cell.lower() for cell in _cells(first, first)]


def _cells(line: str, first: str) -> list[str]:
    try:
        cells = next(csv.reader([line], delimiter=find_delimiter(first)), [])
    except csv.Error:
        return []
    return [cell.strip() for cell in cells]


_plain = plain_column


def _is_hrv(name: str) -> bool:
    return _HRV.search(name) is not None


def _find_date(member: Member, names: Mapping[str, str]) -> str | None:
    """The column of the date. Raises EbbtideError where several may be it."""
    for possible in (_NIGHT_NAMES, _DAY_NAMES):
        found = [name for name in possible if name in names]
        if found and (len(found) == 1 or found[0] == "night"):
            return names[found[0]]
        if found:
            raise EbbtideError(
                f"{member.base} has several columns of a date: {_list(names, found)}.",
                "Name the one on which the night ended 'night'.",
            )
    return None


def _find_times(member: Member, names: Mapping[str, str]) -> tuple[str, str] | None:
    """The columns of when a night began and ended. Raises EbbtideError where several may be it."""
    times = []
    for pattern, exact in ((_BEGIN, "sleep_start"), (_END, "sleep_end")):
        found = _matching(names, pattern)
        if not found:
            return None
        if exact not in found and len(set(found.values())) > 1:
            raise EbbtideError(
                f"{member.base} has several columns of when a night began or ended: "
                f"{_list(names, found)}.",
                f"Name the one that is to be read {exact!r}.",
            )
        times.append(names[exact if exact in found else next(iter(found))])
    return times[0], times[1]


def _first_times(names: Mapping[str, str]) -> tuple[str, str] | None:
    """Some columns of when a night began and ended, to see what kind of table it is."""
    begin, end = (next(iter(_matching(names, pattern)), None) for pattern in (_BEGIN, _END))
    return None if begin is None or end is None else (names[begin], names[end])


def _matching(names: Mapping[str, str], pattern: re.Pattern[str]) -> dict[str, str]:
    """Names of a time, with what each is of: ``start`` and ``start_ns`` are of the same."""
    found = {}
    for name in names:
        match = pattern.match(name)
        if match and set(name[match.end() :].split("_")) <= _TIMES:
            found[name] = match[0]
    return found


def _find_measure(member: Member, names: Mapping[str, str], measure: str, exact: str) -> str | None:
    """The column of a measure in ms. Raises EbbtideError where several may be it."""
    if exact in names:
        return names[exact]
    found = [name for name in names if measure in name and not _is_other_hrv(name, measure)]
    if len(found) > 1:
        of_sleep = [name for name in found if _OF_SLEEP.search(name)]
        if len(of_sleep) != 1:
            raise EbbtideError(
                f"{member.base} has several columns of a night's {measure.upper()}: "
                f"{_list(names, found)}.",
                f"Name the one that is to be read {exact!r}.",
            )
        found = of_sleep
    return names[found[0]] if found else None


def _is_other_hrv(name: str, measure: str) -> bool:
    rest = name.replace(measure, "").replace("hrv", "")
    return any(one.search(rest) for one in (_OTHER_HRV, _OTHER_UNIT)) or bool(
        _LOGARITHM.search(name)
    )


def _refuse_vague(member: Member, names: Mapping[str, str]) -> None:
    """Say why no column is the night's RMSSD or SDNN in ms."""
    for name in names:
        if re.search(r"rmssd|sdnn", name):
            raise EbbtideError(
                f"The column {names[name]!r} of {member.base} is not a night's RMSSD or SDNN in ms,"
                " by its name.",
                "If it is, name it 'rmssd_ms' or 'sdnn_ms'.",
            )
    vague = next((names[name] for name in names if _is_hrv(name)), "")
    raise EbbtideError(
        f"The column {vague!r} of {member.base} does not say which heart rate variability it is"
        " in ms: RMSSD and SDNN are different quantities.",
        "Name it 'rmssd_ms' or 'sdnn_ms', as the device's documentation says.",
    )


def _refuse_twice(member: Member, own: Iterable[str], read: Collection[str]) -> None:
    """Refuse two columns of one name of which one would be read: the other would go unseen."""
    for name, count in Counter(_plain(one) for one in own).items():
        if count > 1 and name in read:
            raise EbbtideError(
                f"{member.base} has {count} columns that are named {name!r}, but for signs and "
                "capitals.",
                "Rename those that are not to be read.",
            )


def _refuse_research(member: Member, names: Mapping[str, str]) -> None:
    """Refuse a table for analysts, which has `person` and what Ebbtide's own tables have."""
    if "person" in names and len(_OWN_NAMES & set(names)) >= 2:
        raise research_error(member)


def research_error(member: Member) -> EbbtideError:
    """The error of a table for analysts: read as one's own, its nights would be of other days."""
    return EbbtideError(
        f"{member.base} is a table for analysts: its people have pseudonyms and its dates are moved"
        " by weeks, so that no night in it is of the day that it names.",
        "Import the person's own table (ebbtide export nights), or the export of their device.",
    )


def _list(names: Mapping[str, str], found: Iterable[str]) -> str:
    return ", ".join(repr(names[name]) for name in list(found)[:5])
