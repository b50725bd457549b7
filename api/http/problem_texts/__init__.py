"""What problems say, put into the language that a request asks for (``Accept-Language``).

The code says problems in English, which is the contract; ``type`` and ``status`` stay the same in
every language. Each sentence is listed here as it is made, with a name in braces for what is put
in: ``tests/api/middleware/test_problem_language.py`` finds those that are not.
"""

from __future__ import annotations

import re

from api.http.problem_texts import people, requests
from ebbtide.i18n import N_, translator
from ebbtide.i18n.sentences import Sentences

__all__ = ["PROBLEMS", "translate_problem", "translate_title"]

_ROLES = (N_("patient"), N_("therapist"), N_("analyst"), N_("administrator"))
PROBLEMS = (
    *(*people.SIGNING_IN, *people.RIGHTS, *_ROLES, *requests.TITLES.values()),
    *(*requests.WHAT_IS_SENT, *requests.REQUESTS, *requests.FIELDS),
)
_SENTENCES = Sentences(PROBLEMS)
_OF_FIELD = re.compile(r"(?:body|path|query|header)(?:\.[\w\[\]-]+)*: |[\w-]+: ")


def translate_problem(detail: str, language: str) -> str:
    """Translate what a problem says; a sentence that is not listed stays English.

    ``body.pain: `` and its like stay before a sentence, and several are translated one by one.
    """
    translate = translator(language)

    def say(text: str) -> str:
        found = _SENTENCES.translate(text, translate, say)
        if found is not None:
            return found
        for separator in ("; ", ", or "):
            parts = text.split(separator)
            said = [say(part) for part in parts] if len(parts) > 1 else parts
            if said != parts:
                return separator.replace("or", translate(N_("or"))).join(said)
        field = _OF_FIELD.match(text)
        return text if field is None else field[0] + say(text[field.end() :])

    return say(detail)


def translate_title(status: int, title: str, language: str) -> str:
    """Translate the phrase of a status."""
    words = requests.TITLES.get(status)
    return title if words is None else translator(language)(words)
