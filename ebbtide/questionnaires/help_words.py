"""Words of help after an answer that tells of thoughts of death or of hurting oneself.

No diagnosis, no promise that somebody reads the answer at once. Where the numbers are from, read on
28 November 2026:

- 112: the emergency number of the EU, Directive (EU) 2018/1972, article 109; ec.europa.eu,
  "EU actions on 112".
- 999: in the UK, nwbh.nhs.uk, "Help in a crisis": all life-threatening emergencies.
- 911: in the US, internationalmentalhealth.org, "Resources"; in Canada, alberta.ca, "What to
  expect when calling 911".
- 988: in the US since July 2022 and in Canada since 30 November 2023, by the Public Health Agency
  of Canada (dailyhive.com, 30 November 2023) and en.wikipedia.org, "988 Suicide & Crisis Lifeline".
- 116 123: reserved for emotional support in the EU by Decision 2007/116/EC, as amended by
  2007/698/EC. Answered by the Samaritans in the UK (samaritans.org, "Contact a Samaritan") and
  Ireland (newstalk.com), at all hours; by the TelefonSeelsorge in Germany (ansbach-evangelisch.de).
  Not every country of the EU has given it to somebody, so no others are named.

A clinic elsewhere, or with a better number, sets ``help_lines`` and ``help_contact``.
"""

from __future__ import annotations

from ebbtide.i18n import N_

HELP_LINES = N_(
    "To talk with somebody, day or night: 988 in the US and Canada, 116 123 in the UK, Ireland and "
    "Germany. Other countries have such lines, too."
)
HELP_WORDS = (
    N_(
        "Thank you for answering this question honestly. Many people have such thoughts at some "
        "time. You do not have to be alone with them."
    ),
    N_(
        "If you might act on them, or do not feel safe: call your emergency number now (112 in the "
        "EU, 999 in the UK, 911 in the US and Canada), or go to the nearest emergency department."
    ),
    HELP_LINES,
    N_("Please also tell somebody near you, your doctor or your therapist, today."),
    N_(
        "Nobody watches these answers as they come in. If you agreed to that, your therapist sees "
        "them when they next open your page. Please do not wait for it."
    ),
)


def help_words(contact: str = "", lines: str = "") -> tuple[str, ...]:
    """Return the words of help, a sentence or two each.

    Parameters
    ----------
    contact : str, optional
        Whom a clinic names, beside the others.
    lines : str, optional
        Lines to talk to in the clinic's country, in place of ``HELP_LINES``.

    Returns
    -------
    tuple of str
        What to do when not safe, first of all.
    """
    first, emergency, usual, *rest = HELP_WORDS
    named = [contact.strip()] if contact.strip() else []
    return (first, emergency, lines.strip() or usual, *named, *rest)
