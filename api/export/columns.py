"""The tables that there are in bulk, and their columns: type, unit and meaning of each.

A time is given twice: as int64 of UTC nanoseconds (``about_ns``), exact in every language that has
64-bit integers, and as a timestamp (``about``), which pandas, polars, R and DuckDB take for a time.
For analysts both are of a local clock without a zone (``api.services.research_identity``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from api.services.daily_windows import METRICS
from ebbtide._lazy import lazy_module

if TYPE_CHECKING:
    import pyarrow as pa
else:
    pa = lazy_module("pyarrow")

TEXT = "dictionary"
TIMESTAMP = "timestamp"
MOVED_TIMESTAMP = "moved timestamp"  # of a local clock, without a zone


class Table(StrEnum):
    """What there is in bulk."""

    BEATS = "beats"
    HRV = "hrv"
    RATINGS = "ratings"
    SESSIONS = "sessions"
    LINK = "link"
    HEART_RATES = "heart_rates"
    SCORES = "scores"
    PROMPTS = "prompts"
    DECISION_POINTS = "decision_points"
    STRESS_BEFORE = "stress_before"
    GAPS = "gaps"
    NIGHTS = "nights"


@dataclass(frozen=True, slots=True)
class Column:
    """A column. ``unit``: in UCUM, or empty; ``personal``: not for analysts.

    ``type_name``: of an Arrow type. Arrow itself is loaded for tables and not for their names.
    """

    type_name: str
    description: str
    unit: str = ""
    personal: bool = False

    @property
    def kind(self) -> pa.DataType:
        """Its Arrow type."""
        if self.type_name == TEXT:
            return pa.dictionary(pa.int32(), pa.string())
        if self.type_name == TIMESTAMP:
            return pa.timestamp("ns", "UTC")
        if self.type_name == MOVED_TIMESTAMP:
            return pa.timestamp("ns")
        return getattr(pa, self.type_name)()


DESCRIPTIONS: dict[Table, str] = {
    Table.BEATS: "Heartbeats with the RR interval before each, in the strap's own ticks",
    Table.HRV: "Heart rate variability and stress index of five-minute windows",
    Table.RATINGS: "Ratings of pain, stress and pleasant sensations, 0 to 10",
    Table.SESSIONS: "Meetings with the therapist",
    Table.LINK: "How pain moved with stress and with the heart, within the person",
    Table.HEART_RATES: "Heart rates that were imported, without the intervals behind them",
    Table.SCORES: "Item scores and scores of questionnaires, a row each",
    Table.PROMPTS: "When a person was to be asked for a rating, why, and what became of it",
    Table.DECISION_POINTS: "Practice by lot: moments, what was drawn with which probability, and "
    "ratings before and after",
    Table.STRESS_BEFORE: "Stress index of the heart in the half hour before each rating",
    Table.GAPS: "Times of a recording without heartbeats, and why",
    Table.NIGHTS: "Nights that watches and rings measured, a row a night and source",
}
# What names a row, so that rows of an increment replace those of a copy.
PRIMARY_KEYS: dict[Table, tuple[str, ...]] = {
    Table.BEATS: ("stream", "time_ns"),
    Table.HRV: ("start_ns",),
    Table.RATINGS: ("rating",),
    Table.SESSIONS: ("number",),
    Table.LINK: ("key",),
    Table.HEART_RATES: ("rate",),
    Table.SCORES: ("answer",),
    Table.PROMPTS: ("prompt",),
    Table.DECISION_POINTS: ("decision_point",),
    Table.STRESS_BEFORE: ("rating",),
    Table.GAPS: ("gap",),
    Table.NIGHTS: ("night",),
}


_UTC = "; UTC, since 1970-01-01"


def _instant(name: str, description: str, *, personal: bool = False) -> dict[str, Column]:
    return {f"{name}_ns": Column("int64", f"{description}{_UTC}", "ns", personal)}


def _nrs(what: str) -> Column:
    return Column("int8", f"{what}, numerical rating scale: 0 none, 10 the most", "{score}")


def _index(of: str) -> dict[str, Column]:
    """Columns of a stress index with its interval, version and reason."""
    return {
        "stress_index": Column(
            "float64",
            f"Stress index {of}: of 100 usual moments of the person, how many were calmer; 50 is "
            "usual",
            "{score}",
        ),
        "stress_index_low": Column(
            "float64", "95% interval of value and baseline, lower end", "{score}"
        ),
        "stress_index_high": Column(
            "float64", "95% interval of value and baseline, upper end", "{score}"
        ),
        "stress_index_version": Column("int16", "Version of the method that made it"),
        "stress_index_missing": Column(TEXT, "Why there is none"),
    }


_METRICS = {
    "mean_hr_bpm": ("Mean heart rate", "/min"),
    "rmssd_ms": ("Root mean square of successive differences of normal intervals", "ms"),
    "sdnn_ms": ("Standard deviation of normal intervals", "ms"),
    "stress_index_baevsky": ("Baevsky's stress index", "/s2"),
    "motion_mg": ("Movement of the wearer, mean", "m[g]"),
}
COLUMNS: dict[Table, dict[str, Column]] = {
    Table.BEATS: {
        **_instant("time", "When the beat was"),
        "rr_ticks": Column("int32", "Interval that ended with the beat, as sent", "{tick}"),
        "ticks_per_second": Column(
            "int32", "Ticks in a second: RR in ms is rr_ticks / ticks_per_second * 1000", "/s"
        ),
        "follows": Column(
            "bool_",
            "Whether the interval began at the beat before of its stream; take no difference of "
            "intervals where it did not",
        ),
        "contact": Column("bool_", "Skin contact; null where the strap does not say"),
        "stream": Column(TEXT, "Id of the recording"),
        "origin": Column(TEXT, "Where it comes from; simulated is no person's"),
    },
    Table.HRV: {
        **_instant("start", "When the window begins; it is 300 s long"),
        "usable": Column("bool_", "Whether enough of the window is clean"),
        "local_hour": Column("float64", "Hour of the day where the person is", "h"),
        **{name: Column("float64", *_METRICS[name]) for name in METRICS},
        "reported_rate": Column(
            "bool_",
            "Whether the index is by a heart rate that a device reported, without beats: no HRV",
        ),
        **_index("of the window"),
        "stress_index_own_low": Column(
            "float64", "Interval without the baseline's doubt, lower end", "{score}"
        ),
        "stress_index_own_high": Column(
            "float64", "Interval without the baseline's doubt, upper end", "{score}"
        ),
        "baseline_days": Column("int16", "Worn days that it was compared with", "d"),
        "known_minutes": Column("int8", "Minutes with a heart rate at rest", "min"),
    },
    Table.RATINGS: {
        "rating": Column("string", "Id of the rating, the same in all its versions"),
        "version": Column("int32", "Newest version; grows by one with each correction"),
        **_instant("about", "The moment that the rating is about"),
        **_instant("entered", "When this version was entered", personal=True),
        "zone": Column(TEXT, "IANA time zone of the person then", personal=True),
        "local_hour": Column("float64", "Hour of the day where the person was", "h"),
        "pain": _nrs("Pain"),
        "stress": _nrs("Stress"),
        "pleasant": _nrs("A pleasant sensation, where one was noticed"),
        "simulated": Column("bool_", "Made by a simulation, not by a person"),
        "withdrawn": Column("bool_", "Withdrawn: counts nowhere. In increments alone"),
        "note": Column("string", "What was going on, in the person's words", personal=True),
        "pleasant_note": Column(
            "string", "What was pleasant, in the person's words", personal=True
        ),
        "prompt": Column("string", "The prompt that it answers; null where volunteered"),
    },
    Table.SESSIONS: {
        "number": Column("int32", "Number of the meeting in the programme"),
        **_instant("held", "When it was held"),
        "version": Column("int32", "Grows by one with each change"),
    },
    Table.LINK: {
        "key": Column("string", "Which comparison"),
        "title": Column("string", "The comparison in words"),
        "estimate": Column("float64", "Points for one unit (see unit)"),
        "low": Column("float64", "95% interval, lower end"),
        "high": Column("float64", "95% interval, upper end"),
        "p_value": Column("float64", "Of no link"),
        "p_adjusted": Column("float64", "Corrected for several comparisons (Holm)"),
        "autocorrelation": Column("float64", "Of the errors, a typical step apart"),
        "n": Column("int32", "Pairs that the estimate is made from"),
        "unit": Column("string", "What one unit is"),
        "verdict": Column("string", "What may be said"),
        "sentence": Column("string", "The same as a sentence"),
        "missing": Column("string", "Why there is no estimate"),
        "method": Column("string", "Name and version of the method"),
        "simulated": Column("bool_", "Some of the data are a simulation's"),
    },
    Table.HEART_RATES: {
        "rate": Column("string", "Id of the heart rate"),
        **_instant("time", "The moment of the heart rate"),
        "bpm": Column("float64", "Heart rate as it was sent", "/min"),
        "device": Column("string", "What measured it, in the sender's words", personal=True),
        "modality": Column("string", "sensed or self-reported; null where not said"),
        "activity": Column("string", "What the person did, in words of Open mHealth"),
        "status": Column("string", "Status of FHIR: final, corrected and so on"),
        "simulated": Column("bool_", "A sample, not a real person's"),
    },
    Table.SCORES: {
        "answer": Column("string", "Id of the row, the same in all versions"),
        "response": Column("string", "Id of the answers that were given together"),
        "version": Column("int32", "Newest version; grows by one with each correction"),
        **_instant("about", "When the questionnaire was answered"),
        **_instant("entered", "When this version was entered", personal=True),
        "zone": Column(TEXT, "IANA time zone of the person then", personal=True),
        "questionnaire": Column("string", "Id of the questionnaire"),
        "definition_version": Column("int32", "Version of the questionnaire's file"),
        "language": Column("string", "Language that it was read in"),
        "occasion": Column("string", "Of the programme: before, mid, after, 1 month; or empty"),
        "planned_by": Column("string", "programme, person or import"),
        "kind": Column("string", "item: as it was chosen; score: computed; t_score"),
        "item": Column("string", "Id of the item or score in the questionnaire's file"),
        "value": Column("float64", "Of the answer or score; null if missing", "{score}"),
        "simulated": Column("bool_", "Made by a simulation, not by a person"),
        "withdrawn": Column("bool_", "Withdrawn: counts nowhere. In increments alone"),
    },
    Table.PROMPTS: {
        "prompt": Column("string", "Id of the prompt, as in the ratings"),
        **_instant("planned", "The moment for which it was planned"),
        "local_hour": Column("float64", "Hour of the day where the person was", "h"),
        "reason": Column(
            "string",
            "Why it was planned: fixed, random, burst, follow-up, heart, offer-time; after and "
            "after-heart are ratings after a moment of practice by lot",
        ),
        "chance": Column(
            "float64", "Probability with which its minute was drawn, given those before it"
        ),
        "asks": Column("string", "What it asks for: pain, stress or both"),
        "slot": Column("string", "Day, plan and place of the draw", personal=True),
        "state": Column("string", "sent or skipped; planned or sending while under way"),
        "skip_reason": Column("string", "Why it was not sent"),
        "ways": Column("string", "What it was sent by, in words separated by spaces"),
        "sent_after_min": Column("float64", "From planned to sent, whole minutes", "min"),
        "delivered": Column("bool_", "A device said that it arrived; null where none does"),
        "opened_after_min": Column("float64", "From sent to opened, whole minutes", "min"),
        "answered_after_min": Column(
            "float64", "From sent to the moment of the answer, whole minutes", "min"
        ),
        "answered": Column("bool_", "Whether a rating answers it, in time"),
        "put_off": Column("bool_", "The person had it come later"),
        "let_go": Column("bool_", "The person said: not this time"),
        "simulated": Column("bool_", "A sample, not a real person's"),
    },
    Table.DECISION_POINTS: {
        "decision_point": Column("string", "Id of the moment"),
        **_instant("planned", "When it was planned, as its prompt"),
        "local_hour": Column("float64", "Hour of the day where the person was", "h"),
        "plan_number": Column("int32", "Which of the person's agreements it belongs to"),
        "block": Column("string", "Draws of one block are balanced: four days, part of the day"),
        "base_probability": Column("float64", "Of an offer, as agreed to"),
        "available": Column("bool_", "Whether something could be offered; else nothing drawn"),
        "why_not": Column("string", "Why nothing could be offered"),
        "probability": Column(
            "float64", "Of an offer at this moment, given the draws before of its block"
        ),
        "offered": Column("bool_", "The draw; null where there was none"),
        "arm": Column("string", "Which practice was offered"),
        "arms": Column("int32", "How many practices could have been, each as probable"),
        "delay_min": Column("int32", "From the rating before to the rating after", "min"),
        "answered": Column("bool_", "Whether it was rated before, which shows the draw"),
        "shown": Column("bool_", "Whether an offer was displayed"),
        "declined": Column("bool_", "The person said: not now"),
        "taken": Column("bool_", "Whether what was offered was done within the delay"),
        "practised": Column("bool_", "Whether any practice was, offered or free"),
        "stress_before": _nrs("Stress before, given before the draw is shown"),
        "pain_before": _nrs("Pain before, given before the draw is shown"),
        "stress_after": _nrs("Stress after the delay, in both arms"),
        "pain_after": _nrs("Pain after the delay, in both arms"),
        "commitment": Column("string", "SHA-256 that was stored before the draw", personal=True),
        "nonce": Column("string", "With which the draw can be done again", personal=True),
        "simulated": Column("bool_", "A sample, not a real person's"),
    },
}
COLUMNS[Table.STRESS_BEFORE] = {
    "rating": Column("string", "Id of the rating, as in the ratings"),
    **_instant("about", "The moment that the rating is about"),
    **_index("of the half hour before"),
    "simulated": Column("bool_", "Some of the data are a simulation's"),
}
COLUMNS[Table.GAPS] = {
    "gap": Column("string", "Stream and moment of the gap"),
    **_instant("start", "From when there are no beats"),
    "seconds": Column("float64", "How long there are none", "s"),
    "reason": Column(TEXT, "Why, as it was recorded"),
    "words": Column(TEXT, "The same in words"),
    "stream": Column(TEXT, "Id of the recording"),
}
COLUMNS[Table.NIGHTS] = {
    "night": Column("string", "Id of the row: source and day"),
    **_instant("start", "When the night began"),
    **_instant("end", "When it ended"),
    "day": Column("string", "Local date on which it ends", personal=True),
    "offset_s": Column("int32", "Seconds from UTC to the clock at its end", "s", personal=True),
    "source": Column(TEXT, "Which device or app measured it"),
    "basis": Column(
        TEXT,
        "Whether figures are means of values, the device's own average, or of an own recording",
    ),
    "rmssd_ms": Column("float64", "RMSSD asleep, of the night", "ms"),
    "sdnn_ms": Column("float64", "SDNN asleep, of the night; no RMSSD", "ms"),
    "mean_hr_bpm": Column("float64", "Mean heart rate asleep", "/min"),
    "low_quarter_hr_bpm": Column("float64", "Mean of the lowest quarter of heart rates", "/min"),
    "windows": Column("int32", "Steps with heart rate variability"),
    "steps": Column("int32", "Steps of five minutes in the night; 0 where not known"),
    "missing": Column("string", "Why there are no figures"),
    "simulated": Column("bool_", "A sample, not a real person's"),
}
_PERSON = Column(TEXT, "Pseudonym, the same in every export of this analyst")
_MOVED = "; local, without a zone, moved by whole weeks, since 1970-01-01T00:00"


def table_columns(table: Table, pseudonymous: bool) -> dict[str, Column]:
    """The columns of a table, in order. Analysts get ``person`` first, and neither zone nor words
    nor the time of entry.

    Timestamps come last, so that a program which goes by position finds what it found before.
    """
    columns = {
        name: column
        for name, column in COLUMNS[table].items()
        if not (pseudonymous and column.personal)
    }
    kind = TIMESTAMP
    if pseudonymous:
        kind = MOVED_TIMESTAMP
        columns = {"person": _PERSON, **columns}
        for name, column in columns.items():
            if column.description.endswith(_UTC):
                words = column.description.removesuffix(_UTC) + _MOVED
                columns[name] = replace(column, description=words)
    stamps = {
        name.removesuffix("_ns"): Column(kind, column.description.rpartition("; ")[0])
        for name, column in columns.items()
        if name.endswith("_ns")
    }
    return columns | stamps


def table_schema(table: Table, pseudonymous: bool) -> pa.Schema:
    """The same as an Arrow schema, with unit and description in each field's metadata."""
    fields = []
    for name, column in table_columns(table, pseudonymous).items():
        metadata = {"description": column.description}
        if column.unit:
            metadata["unit"] = column.unit
        fields.append(pa.field(name, column.kind, metadata=metadata))
    return pa.schema(fields)
