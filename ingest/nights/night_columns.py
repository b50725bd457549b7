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
from ebbtide.timestamps import EARLIEST, LATEST, to_datetime
from ingest.files.local_times import parse_clock
from ingest.nights.clock import is_of_this_century
from ingest.nights.members import Member
from ingest.nights.night_file import find_delimiter, plain_name

_OF_SLEEP = re.compile(
    r"night|sleep|nocturn|asleep|bedtime|nacht|nächt|schlaf|nuit|nocturne|sommeil|noche|sueño|sueno"
    r"|notte|sonno|slaap"
)
# The first is the name that a remedy asks for: it wins over the others.
_NIGHT_NAMES = (
    *("night", "night_of", "nacht", "date_of_night", "sleep_date", "night_date"),
    *("nuit", "noche", "notte"),
)
_DAY_NAMES = (
    *("day", "date", "datum", "tag", "calendar_date", "summary_date", "fecha", "data", "jour"),
)
_BEGIN = re.compile(
    r"(sleep|night|bedtime|schlaf|nacht)?_?(start|begin|beginning|onset|beginn|from|bedtime)"
)
_END = re.compile(
    r"(sleep|night|bedtime|wake|schlaf|nacht)?_?(end|stop|offset_time|ende|wake|until)"
)
_TIMES = frozenset({"", "time", "at", "date", "datetime", "local", "ns"})
_INTERVALS = re.compile(r"(^|_)(rrs?|rri|nns?|nni|ibis?|ppi?|rr_intervals?)(_|$)")
_PEOPLE = re.compile(
    r"(participant|subject|person|patient|user|pid|proband\w*|teilnehmer\w*)(_?id)?"
    r"|(first_?|last_?|vor|nach)?name|initials?|initialen|kürzel|kuerzel"
)
_ROW_NUMBERS = frozenset({"id", "nr", "no", "number", "nummer", "code"})
_KINDS = frozenset({"type", "kind", "sleep_type", "typ", "art", "nap", "is_nap", "nickerchen"})
_LOGARITHM = re.compile(r"(^|_)(ln|log)")
_RATE = re.compile(r"(^|_)(hr|bpm|heart_?rate|herzfrequenz|puls|pulse)(_|$)")
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
_OTHER_UNIT = re.compile(r"(^|_)(s|sec|secs|seconds?|sek|sekunden?|us|µs|usec|microseconds?)(_|$)")
# Of Ebbtide's own table, beside those that other tables have too.
_OWN = ("basis", "windows", "steps", "offset_s", "low_quarter_hr_bpm", "missing")
_OWN_NAMES = frozenset({*_OWN, "simulated"})
_SEPARATOR_LINE = re.compile(r"sep=[,;\t]")
_DOT_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")


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
        return times is not None or any(name in names for name in (*_NIGHT_NAMES, *_DAY_NAMES))
    return not _is_of_windows(member.text, times)


def find_columns(member: Member) -> Columns:
    """Find what each column holds. Raises EbbtideError where that has no sure answer."""
    own = _names(member.text)
    names = {_plain(name): name for name in own}
    _refuse_research(member, names)
    times = _find_times(member, names)
    day = None if times is not None else _find_date(member, names)
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
    person = next((all_names[name] for name in all_names if _PEOPLE.fullmatch(name)), None)
    source = next((all_names[name] for name in ("source", "device") if name in all_names), None)
    kind = next((all_names[name] for name in all_names if name in _KINDS), None)
    number = next((all_names[name] for name in all_names if name in _ROW_NUMBERS), None)
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


def read_date(text: str) -> date | None:
    """A date as 2026-11-24 or 24.11.2026; one of two possible orders (01/02/2026) is none.

    With a time from noon on it is none either: the night after it ends on the next date. So is one
    with an offset, whose local date may be another.
    """
    dotted = _DOT_DATE.fullmatch(text)
    try:
        if dotted:
            found = date(int(dotted[3]), int(dotted[2]), int(dotted[1]))
        else:
            moment = datetime.fromisoformat(text.replace("/", "-"))
            is_midnight = moment.time().replace(tzinfo=None) == datetime.min.time()
            if not is_midnight and (moment.hour >= 12 or moment.tzinfo is not None):
                return None
            found = moment.date()
    except ValueError:
        return None
    return found if is_of_this_century(found) else None


def read_time(text: str) -> datetime | None:
    """A time of this century, with its offset if it has one."""
    moment: datetime | None
    if re.fullmatch(r"[0-9]{18,19}", text):
        moment = to_datetime(int(text)) if EARLIEST <= int(text) < LATEST else None
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
    """How many lines come before the names, and the line of the names."""
    lines = text.split("\n", 2)
    skip = int(_SEPARATOR_LINE.fullmatch(lines[0].strip("\r")) is not None)  # Excel reads it
    return skip, next(iter(lines[skip].splitlines()), "") if len(lines) > skip else ""


def _names(text: str) -> list[str]:
    first = _header(text)[1]
    return [cell.lower() for cell in _cells(first, first)]


def _cells(line: str, first: str) -> list[str]:
    try:
        cells = next(csv.reader([line], delimiter=find_delimiter(first)), [])
    except csv.Error:
        return []
    return [cell.strip() for cell in cells]


def _plain(name: str) -> str:
    """``HRV (RMSSD, ms)`` as ``hrv_rmssd_ms``."""
    return re.sub(r"[\W_]+", "_", name).strip("_")


def _is_hrv(name: str) -> bool:
    return re.search(r"rmssd|sdnn|hrv", name) is not None


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
