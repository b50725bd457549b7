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


def group_warnings(link: GroupLink) -> list[str]:
    """Say what makes the answer another than it looks.

    Parameters
    ----------
    link : GroupLink
        From ``group_link``.

    Returns
    -------
    list of str
        Sentences; none where there is nothing to warn of.
    """
    if link.missing_when_bad_p is None or link.missing_when_bad_p >= _ALPHA:
        return []
    return [
        "Ratings seem to be missing when things were bad: those beside a gap are worse than the "
        "others. That makes a link look weaker, or opposite, than it is."
    ]
