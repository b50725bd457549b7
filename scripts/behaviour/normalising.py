"""Replaces what differs between two recordings of the same code; writes what is recorded."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)  # when every recording begins, for the product
SECOND = 1_000_000_000
NOW_NS = int(NOW.timestamp()) * SECOND
STEP_NS = 1800 * SECOND  # a recording takes less; times derived from "now" are rounded to this step
MANY_LINES = 500  # longer answers are recorded as their beginning, end and hash


_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_HASH = re.compile(r"\b(?:[0-9a-f]{64}|[0-9a-f]{32}|[0-9a-f]{24})\b")
_TOKEN = re.compile(r"(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[A-Z])[A-Za-z0-9_-]{43}(?![\w-])")
_ISO = re.compile(
    r"\b20\d\d-\d\d-\d\d[T ]\d\d(?::|%3A)\d\d(?:(?::|%3A)\d\d(?:\.\d{1,9})?)?"
    r"(?:Z|(?:\+|-|%2B)\d\d(?::|%3A)?\d\d)?"
)
_NS = re.compile(r"(?<![\d.])1[789]\d{17}(?!\d)")
# Of a traceback only what it ends with is the product's word; the frames are names of modules.
_FRAMES = re.compile(r"(?<=Traceback \(most recent call last\):\n)(?:  .*\n)+")
_RULES = [
    (re.compile(r"http://127\.0\.0\.1:\d+|http%3A%2F%2F127\.0\.0\.1%3A\d+"), "<url>"),
    (re.compile(r"127\.0\.0\.1:\d+"), "<address>"),
    (re.compile(r"[\d.]+ GB free"), "<size> GB free"),
    (re.compile(r"a flush takes [\d.]+ ms"), "a flush takes <duration> ms"),
    (re.compile(r"\b\d:\d\d:\d\d\b(?! *[ap]m)"), "<duration>"),
    (re.compile(r"(\"(?:seconds|took_s|elapsed_s|duration_s|beat_age_s)\": )[\d.e-]+"), r"\1<n>"),
    (re.compile(r"last beat \d+ s ago"), "last beat <n> s ago"),
    (re.compile(r"\bpid \d+"), "pid <n>"),
    (re.compile(r"^retry-after: \d+$", re.MULTILINE), "retry-after: <n>"),
]
# What the pages show of "now", in Berlin (the zone of all accounts and of the browser).
_CLOCK = re.compile(r"\b(?:10:[01]\d|09:[01]\d)(?::\d\d)?\b")


@dataclass
class Normaliser:
    """Replaces what differs between two recordings. ``names`` are strings with a fixed name;
    other ids are numbered by first appearance within one text, so that one more id in a text does
    not change all the texts after it.
    """

    names: dict[str, str] = field(default_factory=dict)

    def __call__(self, text: str, clock: bool = False) -> str:
        for words in sorted(self.names, key=len, reverse=True):
            text = text.replace(words, self.names[words])
        found: dict[str, dict[str, str]] = {}

        def numbered(kind: str) -> Callable[[re.Match[str]], str]:
            known = found.setdefault(kind, {})
            return lambda match: known.setdefault(match[0], f"<{kind}-{len(known) + 1}>")

        text = _FRAMES.sub("<frames>\n", text)
        text = _ISO.sub(_moment, text)
        text = _NS.sub(lambda match: _derived(int(match[0])) or match[0], text)
        text = _UUID.sub(numbered("id"), text)
        text = _HASH.sub(numbered("hash"), text)
        text = _TOKEN.sub(numbered("token"), text)
        for pattern, instead in _RULES:
            text = pattern.sub(instead, text)
        return _CLOCK.sub("<clock>", text) if clock else text


def _moment(match: re.Match[str]) -> str:
    words = match[0].replace("%3A", ":").replace("%2B", "+")
    try:
        found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", words))
    except ValueError:
        return match[0]
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    span = found - datetime(1970, 1, 1, tzinfo=UTC)
    ns = (span.days * 86_400 + span.seconds) * SECOND + span.microseconds * 1000
    return _derived(ns) or match[0]


def _derived(ns: int) -> str | None:
    """A placeholder for "now" and what was made from it (the end of a token in a week). The fixed
    data have whole minutes; so has nothing that is made from a clock, but by chance.
    """
    since = ns - NOW_NS
    weeks, rest = divmod(since, 7 * 86_400 * SECOND)
    if -300 < weeks < 0 and rest < STEP_NS and ns % (60 * SECOND):
        return f"<now{weeks:+}weeks>"  # for analysts all times are moved by whole weeks
    if not -900 * SECOND < since < 800 * 86_400 * SECOND:
        return None
    if ns % (60 * SECOND) == 0 and since > STEP_NS:
        return None
    steps = since // STEP_NS
    return "<now>" if steps == 0 else f"<now{steps / 2:+g}h>"


def printable(text: str) -> str:
    """Text for a recording: JSON is indented, long text is cut but hashed as a whole."""
    with contextlib.suppress(ValueError):
        if text.strip()[:1] in ("{", "["):
            text = json.dumps(json.loads(text), indent=1, ensure_ascii=False)
    return text


def shortened(text: str) -> str:
    """The beginning, the end and a hash of a text with very many lines."""
    lines = text.splitlines()
    if len(lines) <= MANY_LINES:
        return text
    name = hashlib.sha256(text.encode()).hexdigest()[:16]
    middle = f"... {len(lines) - 220} lines left out; sha256 of all {len(lines)}: {name}"
    return "\n".join([*lines[:200], middle, *lines[-20:]])


def write(folder: Path, name: str, text: str) -> None:
    """One file of a recording."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text.rstrip("\n") + "\n", encoding="utf-8")


def decoded(raw: bytes, kind: str) -> str:
    """Schema and rows of Parquet or an Arrow stream, a row a line."""
    import pyarrow as pa
    from pyarrow import parquet

    source = pa.BufferReader(raw)
    table = (
        parquet.read_table(source) if kind == "parquet" else pa.ipc.open_stream(source).read_all()
    )
    rows = [json.dumps(row, default=str, ensure_ascii=False) for row in table.to_pylist()]
    return "\n".join([table.schema.to_string(), *rows])
