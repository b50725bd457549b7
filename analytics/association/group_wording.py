"""The link of many people in a sentence. Never "because of": it is no evidence of a cause."""

from __future__ import annotations

from analytics.association.group import GroupLink, GroupVerdict

_ALPHA = 0.05


def group_sentence(link: GroupLink) -> str:
    """Say whether pain moved with stress within many people.

    Parameters
    ----------
    link : GroupLink
        From ``group_link``.

    Returns
    -------
    str
        A sentence without a number.

    Examples
    --------
    >>> import numpy as np
    >>> from analytics import group_link
    >>> none = np.empty(0)
    >>> group_sentence(group_link(none.astype(np.int64), none, none, none))[:55]
    'Not enough yet to say whether pain moved with stress: 0'
    """
    match link.verdict:
        case GroupVerdict.NOT_ENOUGH:
            return f"Not enough yet to say whether pain moved with stress: {link.missing_reason}."
        case GroupVerdict.UNCLEAR:
            return "We cannot tell whether pain moved with stress."
        case GroupVerdict.SHARED_MOMENTS:
            way = "together" if (link.estimate or 0.0) > 0 else "opposite ways"
            return (
                f"Rated pain and rated stress moved {way}, but moments that they share could make "
                "it: the changes from rating to rating do not show it clearly."
            )
        case _:
            return f"Rated pain and rated stress {link.verdict} within people."


def group_warnings(link: GroupLink, asked_apart: frozenset[int] = frozenset()) -> list[str]:
    """Say what makes the answer another than it looks.

    Parameters
    ----------
    link : GroupLink
        From ``group_link``.
    asked_apart : frozenset of int
        Numbers of people most of whose ratings are of pain or of stress alone.

    Returns
    -------
    list of str
        Sentences; none where there is nothing to warn of.
    """
    said = _describe_asked_apart(len(asked_apart - {one.subject for one in link.people}))
    if link.missing_when_bad_p is None or link.missing_when_bad_p >= _ALPHA:
        return said
    return [
        *said,
        "Ratings seem to be missing when things were bad: those beside a gap are worse than the "
        "others. That makes a link look weaker, or opposite, than it is.",
    ]


def _describe_asked_apart(count: int) -> list[str]:
    """Say how many are not in the answer since it is of ratings of one moment."""
    if count == 0:
        return []
    who = "1 person was" if count == 1 else f"{count} people were"
    are_not = "That person is" if count == 1 else "They are"
    return [f"{who} asked for pain and stress at different moments. {are_not} not in this answer."]
