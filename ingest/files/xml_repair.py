"""Make the XML of an export well-formed where phones write it otherwise.

Left out: the DTD, which no reader needs and some versions write wrongly; characters and references
that XML 1.0 (section 2.2) does not allow; bytes that are not of the encoding. A bare ampersand
becomes a reference.
"""

from __future__ import annotations

import codecs
import re
from typing import IO

_CHUNK = 1 << 18
_MAX_PROLOG = 1 << 20
_ROOT = re.compile(r"<HealthData[\s/>]")
_DECLARED = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_REFERENCE = re.compile(r"&(?:#(?:x([0-9A-Fa-f]+)|([0-9]+));|(?![A-Za-z][A-Za-z0-9]*;))")
_MAX_REFERENCE = 16


class EntityDeclaredError(ValueError):
    """The DTD declares entities, which can make a small file fill the memory."""


class RepairedXml:
    """Reads ``file`` as UTF-8 without what is left out. ``left_out`` counts characters."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.left_out = 0
        head = file.read(_CHUNK)
        self._decoder = codecs.getincrementaldecoder(_find_encoding(head))("replace")
        self._text = self._cut_prolog(self._decoder.decode(head))
        self._ended = False

    def _cut_prolog(self, text: str) -> str:
        found = _ROOT.search(text)
        while found is None and len(text) < _MAX_PROLOG:
            more = self._file.read(_CHUNK)
            text += self._decoder.decode(more, final=not more)
            found = _ROOT.search(text)
            if not more:
                break
        prolog = text if found is None else text[: found.start()]
        if "<!ENTITY" in prolog:
            raise EntityDeclaredError
        # Line numbers in messages stay those of the file.
        return text if found is None else "\n" * prolog.count("\n") + text[found.start() :]

    def read(self) -> bytes:
        """The next piece, empty at the end."""
        while not self._ended:
            data = self._file.read(_CHUNK)
            self._ended = not data
            text = self._text + self._decoder.decode(data, final=self._ended)
            # A reference may go on in the next piece.
            cut = len(text) if self._ended else text.rfind("&", len(text) - _MAX_REFERENCE)
            cut = len(text) if cut < 0 else cut
            self._text, text = text[cut:], text[:cut]
            if text:
                return self._clean(text).encode()
        return b""

    def _clean(self, text: str) -> str:
        text, removed = _FORBIDDEN.subn("", text)
        self.left_out += removed
        return _REFERENCE.sub(self._reference, text) if "&" in text else text

    def _reference(self, match: re.Match[str]) -> str:
        hexadecimal, decimal = match.groups()
        if hexadecimal is None and decimal is None:
            self.left_out += 1
            return "&amp;"
        digits = hexadecimal or decimal
        code = int(digits, 16 if hexadecimal else 10) if len(digits) < 9 else 0
        if code > 0x10FFFF or code == 0 or _FORBIDDEN.match(chr(code)):
            self.left_out += 1
            return ""
        return match.group()


def _find_encoding(head: bytes) -> str:
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return encoding
    if head[:4] in (b"<\x00?\x00", b"<\x00!\x00", b"<\x00H\x00"):
        return "utf-16-le"
    declared = _DECLARED.search(head[:200])
    if declared is not None:
        try:
            name = codecs.lookup(declared[1].decode()).name
        except LookupError:
            return "utf-8"
        # A file that can be read so far as ASCII is not UTF-16, whatever it declares.
        return "utf-8" if name.startswith(("utf-16", "utf-32")) else name
    return "utf-8"
