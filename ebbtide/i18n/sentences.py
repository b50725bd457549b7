"""Sentences that were made of numbers and words, found again among those that are known."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from functools import cached_property

from ebbtide.i18n import Translate

_FIELD = re.compile(r"\{(\w+)\}")
NUMBER = re.compile(r"[+\u2212-]?\d+(?:\.\d+)?%?")


class Sentences:
    """Texts with fields in braces, such as ``no rating for {days} days``.

    Parameters
    ----------
    texts : iterable of str
        As the catalogue has them.
    words : collection of str, optional
        Names of the fields that hold words; the others hold a number. None: all may hold words.
    """

    def __init__(self, texts: Iterable[str], words: Collection[str] | None = None) -> None:
        self._texts = tuple(dict.fromkeys(texts))
        self._words = words
        self._literal = frozenset(text for text in self._texts if "{" not in text)

    def translate(
        self, text: str, translate: Translate, say_field: Callable[[str], str]
    ) -> str | None:
        """Translate a sentence, and with ``say_field`` what its fields hold.

        None where the sentence is not known.
        """
        if text in self._literal:
            return translate(text)
        for template, pattern in self._templates:
            found = pattern.fullmatch(text)
            if found is not None:
                fields = {name: say_field(said) for name, said in found.groupdict().items()}
                return translate(template).format(**fields)
        return None

    @cached_property
    def _templates(self) -> tuple[tuple[str, re.Pattern[str]], ...]:
        """Each text with fields and its pattern, the one with most words of its own first."""
        templates = [text for text in self._texts if "{" in text]
        templates.sort(key=lambda text: -len(_FIELD.sub("", text)))
        return tuple((text, re.compile(self._make_pattern(text))) for text in templates)

    def _make_pattern(self, template: str) -> str:
        """Make a pattern in which a field of words fits the fewest characters that it can."""
        parts = _FIELD.split(template)  # words, name, words, name, ..., words
        return "".join(
            re.escape(part)
            if k % 2 == 0
            else f"(?P<{part}>{'.+?' if self._holds_words(part) else NUMBER.pattern})"
            for k, part in enumerate(parts)
        )

    def _holds_words(self, name: str) -> bool:
        return self._words is None or name in self._words
