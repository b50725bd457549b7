"""Read EDF and EDF+ files that hold beats: as annotations, or as a signal of RR intervals.

Annotations that mark beats have exact times. A signal repeats the latest interval at a fixed rate;
its beats are where it changes, to half a sample. The date is local, without a zone. A file of ECG
alone is refused: finding beats in an ECG is another program's work.
"""

from __future__ import annotations

import re
import warnings
from array import array
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from ebbtide.beats import Origin
from ebbtide.errors import EbbtideError
from ebbtide.rr_units import MAX_TICKS
from ebbtide.timestamps import SECOND, from_datetime
from ingest.files.builder import RecordingBuilder
from ingest.files.choices import ChoiceError
from ingest.files.column_names import unit_named
from ingest.files.edf_layout import (
    HEADER_BYTES,
    EdfAnnotations,
    EdfLayout,
    read_annotations,
    read_layout,
)
from ingest.files.edf_signal import read_signal_beats
from ingest.files.recording import PULSE_NOTE, FileFormat, ReadAs, ReadContext, RecordedFile
from ingest.files.start_time import given_start

if TYPE_CHECKING:
    from edfio import Edf

_SCALE = 10_000
_VERSION = b"0       "
_DATE_AND_TIME = re.compile(rb"[ \d]\d.[ \d]\d.\d\d[ \d]\d.[ \d]\d.\d\d")
_RR = re.compile(
    r"(^|[\W_])(rrs?|r-r|rri|nni?|n-n|ibi|hrv|ppi?|p-p|(rr|nn|pp)[ _-]?int\w*)([\W_]|$)"
)
_PULSE = re.compile(r"(^|[\W_])(ppi?|p-p|pp[ _-]?int\w*)([\W_]|$)")
_ECG = re.compile(r"(^|[\W_])(ecg|ekg|ecgl|ecgr|lead|i{1,3}|v[1-6]|av[rlf])([\W_]|\d|$)")
_BEAT_WORDS = {
    "beat", "heartbeat", "heart beat", "qrs", "qrs complex", "r", "r-peak", "rpeak", "r peak",
    "r wave", "r-wave", "rr",
}  # fmt: skip
# Codes of PhysioNet's annotations, in files that were made from them; N is a normal beat.
_BEAT_CODES = set("NLRBAaJSVrFejnE/fQ")
_MIN_RR_S, _MAX_RR_S = 0.2, 3.0
_MIN_BEATS = 5
_FIND_BEATS = (
    "Find the beats with NeuroKit2 (nk.ecg_peaks) or Kubios HRV, and import their RR intervals."
)
_ANONYMOUS = datetime(1985, 1, 1)  # noqa: DTZ001 - local, as EDF+ writes it where it is withheld


def _matches(head: bytes) -> bool:
    if head[:8] != _VERSION or b"\n" in head[:HEADER_BYTES]:
        return False
    return len(head) < HEADER_BYTES or _DATE_AND_TIME.fullmatch(head[168:184]) is not None


def _read(path: Path, context: ReadContext) -> RecordedFile:
    """Read the beats. Raises EbbtideError where there are none, or several signals may be RR."""
    layout = read_layout(path)
    problems: list[str] = []
    notes: list[str] = []
    if layout.records == 0:
        raise EbbtideError(f"{path} is an EDF file without data.", "Export or copy it again.")
    if layout.stated > layout.records or layout.spare:
        stated = f" of {layout.stated}" if layout.stated > 0 else ""
        problems.append(
            f"the file is cut off after {layout.records}{stated} records; they were kept"
        )
    edf = _open(path, problems)
    found = read_annotations(path, layout)
    if found.damaged:
        problems.append(f"the annotations of {found.damaged} records cannot be read")
    start_ns = _start(path, edf, found, context, notes)
    text = _beat_text(path, found, context.column)
    place = None if text is not None else _rr_place(path, layout, found, context.column)
    if text is not None:
        beats = _annotated_beats(path, layout, found, text, problems)
        read_as = ReadAs(f"annotations '{text}'", "s", len(found.onsets[text]), "EDF")
        is_pulse = False
    else:
        assert place is not None
        signal = edf.signals[place - sum(p < place for p in layout.annotation_signals)]
        beats, unit = read_signal_beats(path, layout, found, place, signal, context.unit)
        rate = f"{signal.sampling_frequency:g} Hz"
        read_as = ReadAs(signal.label, unit, layout.records * layout.samples[place], "EDF")
        is_pulse = _PULSE.search(signal.label.lower()) is not None
        notes.append(
            f"'{signal.label}' repeats the latest interval at {rate}: {len(beats)} beats, their "
            "times to half a sample"
        )
    if text is not None and text not in layout.labels and ", " in text:
        notes.append(f"beats are the annotations {text}, of whatever kind")
    origin = Origin.PULSE if is_pulse else Origin.FILE
    builder = RecordingBuilder(f"{path.name} (EDF{', PPI' if is_pulse else ''})", _SCALE, origin)
    if is_pulse:
        notes.append(PULSE_NOTE)
        read_as = ReadAs(read_as.column, read_as.unit, read_as.rows, "EDF", quantity="PPI")
    _place(builder, beats, start_ns)
    if builder.is_empty:
        raise EbbtideError(f"{path} holds no interval between beats.", _FIND_BEATS)
    return RecordedFile("EDF", (builder.build(),), tuple(problems), read_as, tuple(notes))


def _open(path: Path, problems: list[str]) -> Edf:
    from edfio import read_edf

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what it warns of is said by _read
            return read_edf(path, lazy_load_data=True, header_encoding="latin-1")
    except (ValueError, OSError, LookupError, TypeError, OverflowError) as error:
        raise EbbtideError(
            f"{path} begins as an EDF file and is damaged: {str(error)[:80]}.",
            "Export or copy it again.",
        ) from error


def _start(
    path: Path, edf: Edf, found: EdfAnnotations, context: ReadContext, notes: list[str]
) -> int:
    """The time of the header, to which onsets are relative, as UTC ns."""
    zone = ZoneInfo(context.zone)
    moment: datetime | None = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            moment = datetime.combine(edf.startdate, edf.starttime)
    except (ValueError, LookupError):  # withheld, or no date
        moment = None
    if moment is not None:
        first = found.record_starts[0] if found.record_starts else 0.0
        moment -= timedelta(seconds=first if first == first else 0.0)
    if moment is None or moment.date() == _ANONYMOUS.date():
        start = given_start(path, context)
        if start is None:
            raise ChoiceError(
                f"{path} withholds when it was recorded, or says it in no way that can be read.",
                "Give the beginning: --start 2026-11-24T08:30:00",
                {"start": ()},
            )
        return start
    local = moment.replace(tzinfo=zone)
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        notes.append(
            f"it began at {moment:%H:%M}, which clocks in {context.zone} had twice or not at all "
            "that night: taken for the first"
        )
    return from_datetime(local)


def _beat_text(path: Path, found: EdfAnnotations, column: str | None) -> str | None:
    """The annotation that marks beats. Raises EbbtideError where several may, or it is no beat."""
    if column is not None:
        return next((text for text in found.onsets if text.lower() == column.lower()), None)
    codes = [text for text in found.onsets if text in _BEAT_CODES]
    if "N" in codes and len(codes) > 1 and _are_beats(found, codes):
        together = np.sort(np.concatenate([np.array(found.onsets[code]) for code in codes]))
        name = ", ".join(sorted(codes))
        found.onsets[name] = array("d", together.tolist())
        return name
    named = [
        text
        for text in found.onsets
        if (text.strip().lower() in _BEAT_WORDS or text == "N") and _are_beats(found, [text])
    ]
    if len(named) > 1:
        raise ChoiceError(
            f"Both the annotations '{named[0]}' and '{named[1]}' of {path} may mark the beats.",
            f"Say which: --column '{named[0]}' or --column '{named[1]}'.",
            {"column": tuple(named)},
        )
    return named[0] if named else None


def _are_beats(found: EdfAnnotations, texts: list[str]) -> bool:
    """Whether they come as heartbeats do; N and R are also names of sleep stages."""
    onsets = np.sort(np.concatenate([np.array(found.onsets[text]) for text in texts]))
    steps = np.diff(onsets)
    return len(steps) >= _MIN_BEATS and _MIN_RR_S <= float(np.median(steps)) <= _MAX_RR_S


def _annotated_beats(
    path: Path, layout: EdfLayout, found: EdfAnnotations, text: str, problems: list[str]
) -> list[tuple[float, float]]:
    """(interval, time) in s of each beat; the interval is NaN for the first after a gap."""
    onsets = np.sort(np.array(found.onsets[text]))
    apart = np.diff(onsets, prepend=-np.inf) > 1e-6
    if not apart.all():
        problems.append(f"{int((~apart).sum())} annotations stand twice at one time; one counts")
        onsets = onsets[apart]
    steps = np.diff(onsets)
    if len(steps) < 1 or not _MIN_RR_S <= float(np.median(steps)) <= _MAX_RR_S:
        raise ChoiceError(
            f"The annotations '{text}' of {path} do not come as heartbeats do.",
            "Name those that mark beats: --column.",
            {"column": tuple(found.onsets)},
        )
    intervals = np.concatenate([[np.nan], steps])
    for end_s, begin_s in _breaks(layout, found):
        across = np.searchsorted(onsets, (end_s + begin_s) / 2)
        if across < len(intervals):
            intervals[across] = np.nan
    return list(zip(intervals.tolist(), onsets.tolist(), strict=True))


def _breaks(layout: EdfLayout, found: EdfAnnotations) -> Iterator[tuple[float, float]]:
    """(end, beginning) of the time between two records that was not recorded."""
    if not layout.is_discontinuous:
        return
    end: float | None = None
    for start in found.record_starts:
        if start == start:
            if end is not None and start > end + 1e-3:
                yield end, start
            end = start + layout.record_s


def _rr_place(path: Path, layout: EdfLayout, found: EdfAnnotations, column: str | None) -> int:
    """The place of the signal of intervals. Raises EbbtideError where there is none, or several."""
    ordinary = [p for p in range(len(layout.labels)) if p not in layout.annotation_signals]
    names = [layout.labels[p] for p in ordinary]
    if column is not None:
        for place in ordinary:
            if layout.labels[place].lower() == column.lower():
                return place
        frequent = sorted(found.onsets, key=lambda text: -len(found.onsets[text]))[:5]
        texts = [f"'{text}'" for text in frequent]
        raise EbbtideError(
            f"{path} has no signal or annotation '{column}'.",
            f"It has the signals {', '.join(names) or 'none'}, and annotations "
            f"{', '.join(texts) or 'none'}.",
        )
    usable = [
        place
        for place in ordinary
        if _RR.search(layout.labels[place].lower()) and not _is_breathing(path, layout, place)
    ]
    if len(usable) > 1:
        first, second = (layout.labels[place] for place in usable[:2])
        raise ChoiceError(
            f"Both the signals '{first}' and '{second}' of {path} may be the RR intervals.",
            f"Say which: --column '{first}' or --column '{second}'.",
            {"column": (first, second)},
        )
    if usable:
        return usable[0]
    holds_ecg = any(_ECG.search(name.lower()) for name in names)
    what = "an ECG" if holds_ecg else "no signal of RR intervals"
    listed = ", ".join(names[:8]) or "annotations alone"
    raise EbbtideError(
        f"{path} holds {what} ({listed}) and no annotations that mark beats.", _FIND_BEATS
    )


def _is_breathing(path: Path, layout: EdfLayout, place: int) -> bool:
    """Whether its unit is a rate: RR is a respiratory rate too."""
    signals = len(layout.labels)
    with path.open("rb") as file:
        file.seek(HEADER_BYTES + 96 * signals + 8 * place)
        unit = file.read(8).decode("latin-1").strip().lower()
    return unit_named(unit) is None and unit != ""


def _place(builder: RecordingBuilder, beats: list[tuple[float, float]], start_ns: int) -> None:
    """Add the beats; an unknown interval, or one too long to be one, is a gap."""
    good = [
        (round(interval * _SCALE), start_ns + round(at_s * SECOND))
        for interval, at_s in beats
        if 0 < interval * _SCALE <= MAX_TICKS
    ]
    builder.add_beats([ticks for ticks, _ in good], [time for _, time in good])


FORMAT = FileFormat("EDF", timed=True, matches=_matches, read=_read)
