"""What the names of columns, comments and units mean: intervals, times, rates, sample numbers.

Nothing here reads numbers of a table: that is done in ``column_recognition``.
"""

from __future__ import annotations

import re

from ebbtide.errors import EbbtideError

RR = re.compile(
    r"(^|[\W_])((rrs?|r-r|rri|nns?|n-n|nni|ibis?|pp|p-p|ppi)\d?|(rr|nn|pp|beat)_?-?int\w*"
    r"|interval\w*|intervall\w*|duration|herzschlagabst\w*|schlagabst\w*|tachogram\w*)([\W_]|$)"
)
PULSE = re.compile(
    r"(^|[\W_])((pp|p-p|ppi)\d?|pp_?-?int\w*|pulse[ _-]int\w*|pulsintervall\w*)([\W_]|$)"
)
TIME = re.compile(
    r"(^|[\W_])(time\w*|t|timestamp|elapsed|date|datetime|datum|since[ _]start|epoch|clock|zeit\w*"
    r"|uhrzeit|temps|heure|hora|tiempo|tempo|ora|seconds|unix\w*|tid|tijd)([\W_]|$)"
)
INDEX = re.compile(
    r"^(index|idx|nr\.?|no\.?|n|#|number|beat|beats|beat[ _](nr|no|number|index)|count|row|i|id"
    r"|sample|nummer|zeile|schlag|num[eé]ro|n[uú]mero|numero)$"
)
# Columns of R peaks: by their place among the samples of an ECG, unless their unit is one of time.
SAMPLES = re.compile(
    r"(^|[\W_])(samples?|r?[ _-]?peaks?|rpeaks?|r_?locs?|locs?|index|idx|indices|qrs|frames?"
    r"|abtastwerte?)([\W_#]|$)"
)
RATE = re.compile(
    r"(^|[\W_])(hr|bpm|heart[ _-]?rate|heartrate|herzfrequenz|puls|pulse|fc|fr[eé]quence"
    r"|frecuencia|frequenza|1/min|beats/min)([\W_]|$)"
)
OTHER = re.compile(
    r"(^|[\W_])(error|estimate|quality|blocker|contact|status|flag|artifacts?|artefacts?|offline"
    r"|label|symbol|note|rmssd|sdnn|lnrmssd|supported|temperature|battery|valid|is[ _]?valid)"
    r"([\W_]|$)"
)
_FRACTION = re.compile(r"(?<![\d/])1\s*/\s*(\d{2,5})(?![\d/])")
_UNITS = (  # by the words that name it
    (re.compile(r"(^|[\W_])ticks?([\W_]|$)"), "1/1024"),
    (re.compile(r"(^|[\W_\d])(us|µs|μs|usec|microsec\w*|mikrosek\w*)([\W_]|$)"), "us"),
    (re.compile(r"(^|[\W_\d])(ms|msec|msek|millisec\w*|millisek\w*)([\W_]|$)"), "ms"),
    (
        re.compile(r"(^|[\W_\d])(s|sec|secs|sek|seconds?|sekunden?|secondes?|segundos?)([\W_]|$)"),
        "s",
    ),
)
UNIT_MS = {"ms": 1.0, "s": 1000.0, "1/1024": 1000 / 1024, "1/256": 1000 / 256, "us": 0.001}
TIME_SECONDS = {
    "s": 1.0,
    "ms": 1e-3,
    "us": 1e-6,
    "ns": 1e-9,
    "1/1024": 1 / 1024,
    "1/256": 1 / 256,
    "min": 60.0,
}
_EPOCHS = ((1e9, 4.1e9, "s"), (1e12, 4.1e12, "ms"), (1e15, 4.1e15, "us"), (1e18, 4.1e18, "ns"))
_GIVEN_RATE = re.compile(r"(?:samples?\s*@\s*)?(\d+(?:\.\d+)?)\s*(?:hz)?")
_RATE_IN_WORDS = re.compile(
    r"(?:\bfs|\bsf|\bf_s|sampl\w*(?:[ _-]*(?:rate|freq\w*))?|abtast\w*|frequency)\s*[:=(@]?\s*"
    r"(\d+(?:[.,]\d+)?)|(\d+(?:[.,]\d+)?)\s*(k?)hz\b|(\d+)\s*samples?\s*(?:per|/|a)\s*s"
)
_MIN_ECG_HZ, _MAX_ECG_HZ = 50.0, 100_000.0
_RESAMPLED = re.compile(r"\b(re-?sampled?|interpolated?|interpoliert|evenly[ -]spaced)\b")
_SLOW_HZ = re.compile(r"(?<![\d.,])(\d+(?:[.,]\d+)?)\s*hz\b")
_MAX_TACHOGRAM_HZ = 20.0  # heart rate series are resampled at 2 to 10 Hz


def parse_unit(unit: str) -> str:
    """A unit as a person gives it: one of UNIT_MS, or 1/N of a second; ``samples@500`` is 1/500.

    Raises EbbtideError where it is none.
    """
    text = unit.strip().lower()
    fraction = re.fullmatch(r"1\s*/\s*(\d+(?:\.\d+)?)\s*s?", text)
    rate = fraction or (_GIVEN_RATE.fullmatch(text) if not text.isdigit() else None)
    if text not in UNIT_MS and (rate is None or not 1 < float(rate[1]) <= 1e6):
        raise EbbtideError(
            f"'{unit}' is no unit.",
            f"Give one of: {', '.join(UNIT_MS)}; or samples@500 for sample numbers at 500 Hz.",
        )
    return text if rate is None else _fraction(float(rate[1]))


def unit_ms(unit: str) -> float:
    """Milliseconds of one unit."""
    return UNIT_MS[unit] if unit in UNIT_MS else 1000 / float(unit.partition("/")[2])


def unit_seconds(unit: str) -> float:
    """Seconds of one unit of time."""
    return TIME_SECONDS[unit] if unit in TIME_SECONDS else unit_ms(unit) / 1000


def _fraction(per_second: float) -> str:
    return {1000.0: "ms", 1e6: "us"}.get(per_second, f"1/{per_second:g}")


def unit_named(text: str) -> str | None:
    """The unit that a name or comment gives."""
    low = text.lower()
    if (found := _FRACTION.search(low)) and int(found[1]) >= 50:
        return _fraction(float(found[1]))
    return next((unit for pattern, unit in _UNITS if pattern.search(low)), None)


def unit_in_words(words: str) -> str | None:
    """The unit that comments give to the intervals."""
    found = re.search(
        r"(?:unit\w*|einheit\w*|rr\w*|intervals?|ibi|nn|values?)(?:\s*[:=(\[]\s*|\s+)(?:are|is|in)?\s*[\[(]?\s*"
        r"(1\s*/\s*\d+|ms|msec|milliseconds?|s|sec|seconds?|us|µs|ticks)\b",
        words.lower(),
    )
    return unit_named(found.group(1)) if found else None


def sampling_rate(words: str) -> float | None:
    """The sampling rate of an ECG that comments or a heading name; None for none or several."""
    rates = set()
    for found in _RATE_IN_WORDS.finditer(words.lower()):
        digits = next(group for group in (found[1], found[2], found[4]) if group)
        rate = float(digits.replace(",", ".")) * (1000 if found[3] else 1)
        if found[1] and re.match(r"\s*khz\b", words.lower()[found.end() :]):
            rate *= 1000
        if _MIN_ECG_HZ <= rate <= _MAX_ECG_HZ:
            rates.add(rate)
    return rates.pop() if len(rates) == 1 else None


def resampled_in_words(words: str) -> str | None:
    """What comments say of rows that are no beats: that they were resampled at a few Hz."""
    low = words.lower()
    slow = [
        found
        for found in _SLOW_HZ.finditer(low)
        if float(found[1].replace(",", ".")) <= _MAX_TACHOGRAM_HZ
    ]
    found = _RESAMPLED.search(low)
    if found is None or re.search(r"\b(not|never|nicht|un) *$", low[: found.start()]):
        return None
    if not slow and _SLOW_HZ.search(low):
        return None  # the ECG was
    return f"{found[0]}" + (f", {slow[0][0]}" if slow else "")


def is_interval_name(name: str) -> bool:
    """Whether a column of this name may hold intervals."""
    return RR.search(name.lower()) is not None


def epoch_unit(value: float) -> str | None:
    """The unit of a time since 1970, by its size: s, ms, us or ns."""
    return next((unit for low, high, unit in _EPOCHS if low <= value < high), None)
