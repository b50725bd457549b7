"""Find stored JSON texts that name a person: invitations, and responses to requests about them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

# What may stand beside a character of an address within the address (RFC 5322, atext and dots).
_BEFORE = r"(?<![\w.!#$%&'*+/=?^`{|}~@-])"
_AFTER = r"(?![\w@-]|\.\w)"


def search_forms(word: str) -> list[str]:
    """Return how a word may be written in JSON, in lower case: what a database searches for before
    ``has_mention`` decides.
    """
    forms = {json.dumps(word.lower(), ensure_ascii=is_ascii)[1:-1] for is_ascii in (True, False)}
    return sorted(form.lower() for form in forms)


def has_mention(body: str, *words: str) -> bool:
    """Whether a text of JSON has one of these addresses or ids in it, in any case: as a whole, and
    not as the end or begin of another (``joann@x.org`` does not mention ``ann@x.org``).
    """
    choices = "|".join(re.escape(word.lower()) for word in words)
    pattern = re.compile(f"{_BEFORE}(?:{choices}){_AFTER}")
    try:
        texts = [*_strings(json.loads(body))]
    except (ValueError, RecursionError):
        texts = [body]
    return any(pattern.search(text.lower()) for text in texts)


def _strings(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        for name, value in content.items():
            yield name
            yield from _strings(value)
    elif isinstance(content, list):
        for value in content:
            yield from _strings(value)
