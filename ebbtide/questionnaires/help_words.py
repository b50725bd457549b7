"""Words of help after an answer that tells of thoughts of death or of hurting oneself.

No diagnosis, no promise that somebody reads the answer at once. The numbers: 112 is the emergency
number of the EU (Directive (EU) 2018/1972, article 109); 116 123 the number for emotional support
of the EU (Decision 2009/884/EC) and of the Samaritans in the UK; 988 the crisis line of the United
States (since July 2022) and of Canada (since November 2023).
"""

from __future__ import annotations

HELP_WORDS = (
    "Thank you for answering this question honestly. Many people have such thoughts at some time. "
    "You do not have to be alone with them.",
    "If you might act on them, or do not feel safe: call your emergency number now (112 in Europe, "
    "999 in the UK, 911 in the US and Canada), or go to the nearest emergency department.",
    "To talk with somebody, day or night: 988 in the US and Canada, 116 123 in the UK, Ireland and "
    "many countries of Europe. findahelpline.com lists others.",
    "Please also tell somebody near you, your doctor or your therapist, today.",
    "Nobody watches these answers as they come in. If you agreed to that, your therapist sees them "
    "when they next open your page. Please do not wait for it.",
)


def help_words(contact: str = "") -> tuple[str, ...]:
    """Return the words of help, a sentence or two each; ``contact``: whom a clinic names."""
    if not contact.strip():
        return HELP_WORDS
    return (*HELP_WORDS[:3], contact.strip(), *HELP_WORDS[3:])
