"""Read a text file whatever its encoding: by its mark, by its zeros, UTF-8, or Windows' Latin-1."""

from __future__ import annotations

import codecs
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from ebbtide.errors import EbbtideError

_MAX_BYTES = 200_000_000  # some years of beats
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
CUT_OFF = "utf-8, cut off"  # the encoding of a file that ends within a character


class FileText(NamedTuple):
    """``problem``: what is wrong with the end of the file, or None."""

    text: str
    encoding: str
    problem: str | None


def read_text(
    path: Path, remedy: str = "Give a text file with one RR interval a line."
) -> FileText:
    """Read ``path``. Raises EbbtideError, with the ``remedy``, where it is no text."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise EbbtideError(f"{path} is larger than 200 MB.", "Split it.")
        raw = path.read_bytes()
    except OSError as error:
        raise EbbtideError(
            f"{path} cannot be read: {error.strerror or error}.", "Check the name of the file."
        ) from error
    text, encoding = decode(raw)
    problem = None
    if encoding == CUT_OFF:
        encoding, problem = "utf-8", "the file is cut off within a character"
    if text.endswith("\0") and (good := text.rstrip("\0")):
        problem = f"the file ends in {len(text) - len(good)} zero bytes, where a write was lost"
        text = good
    if _CONTROL.search(text[:100_000]) is not None or "\ufffd" in text[:100_000]:
        raise EbbtideError(
            f"{path} is not a text file (it holds control characters).",
            remedy,
        )
    return FileText(text, encoding, problem)


def read_json(path: Path) -> tuple[Any, str]:
    """Read ``path``: (what its JSON holds, encoding). Raises EbbtideError where it is no JSON."""
    text, encoding, _ = read_text(path)
    try:
        return json.loads(text), encoding
    except (ValueError, RecursionError) as error:
        raise EbbtideError(
            f"{path} is not whole JSON ({str(error)[:80]}).", "Export it again."
        ) from error


def decode(raw: bytes) -> tuple[str, str]:
    """Decode by the mark at the beginning; else UTF-16 where every second byte is 0, UTF-8, or
    Latin-1 as Windows writes it.
    """
    for mark, name in _MARKS:
        if raw.startswith(mark):
            if name == "utf-16" and len(raw) % 2 and raw[-1:] in (b"\n", b"\r"):
                raw = raw[:-1]  # a line end that another program appended, of one byte
            return raw.decode("utf-8-sig" if name == "utf-8" else name, "replace"), name
    head = raw[:2000].rstrip(b"\0")  # zeros of a lost write are no UTF-16
    for name, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[0::2])):
        if len(head) >= 4 and zeros.count(0) > 0.9 * len(zeros):
            return raw.decode(name, "replace"), name
    try:
        return raw.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        if error.start >= len(raw) - 3 and error.reason == "unexpected end of data":
            return raw[: error.start].decode("utf-8"), CUT_OFF
        return raw.decode("cp1252", "replace"), "latin-1"
