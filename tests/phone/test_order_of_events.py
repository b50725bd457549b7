"""Sign-in, ratings and beats of the app when things come in an unlucky order: late answers, a
change of what is on its way, other tabs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.node import play


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """What came out of each case of the script."""
    results: dict[str, Any] = play(Path(__file__).with_name("order_of_events.mjs"))
    return results


def test_a_rating_that_is_changed_or_deleted_while_others_are_sent(found: dict[str, Any]) -> None:
    """Of three that wait with pain 1, 2 and 3, the second becomes 8 and the third goes."""
    assert found["changeWhileOthersAreSent"] == [1, 8]


def test_a_rating_that_is_changed_or_deleted_on_its_way(found: dict[str, Any]) -> None:
    assert found["changeOnItsWay"] == [[9, False], [4, True]]  # pain, withdrawn


def test_a_rating_that_another_tab_has_sent_is_changed(found: dict[str, Any]) -> None:
    assert found["changeWhatAnotherTabSent"] == [9, 2, 0]  # pain, version, requests left


def test_a_rating_that_was_refused_is_changed_where_it_waits(found: dict[str, Any]) -> None:
    assert found["changeWhatWasRefused"] == ["not that", [5, 6]]


def test_a_late_answer_to_one_person_ends_nothing_of_another(found: dict[str, Any]) -> None:
    for case in ("lateRevocation", "lateErasure"):
        name, person, has_database, heard = found[case]
        assert (name, person) == ("SessionEndedError", "eve")
        assert has_database and heard == []


def test_a_proxy_that_asks_for_a_password_is_no_revocation(found: dict[str, Any]) -> None:
    assert found["proxyAnswer"] == ["OfflineError", "ada"]


def test_signing_out_leaves_nothing_also_beside_a_tab_that_sleeps(found: dict[str, Any]) -> None:
    assert found["signOutBesideATabThatSleeps"] == [True, True, 0]


def test_signing_out_leaves_nothing_also_after_a_revocation(found: dict[str, Any]) -> None:
    """Heard, no database, no session."""
    assert found["signOutAfterARevocation"] == [True, 0, 0]


def test_a_revocation_that_another_tab_heard_loads_nothing_anew(found: dict[str, Any]) -> None:
    """Where this tab records it goes on in memory, until the person signs in, in whichever tab."""
    assert found["revokedInAnotherTab"] == {
        "between": [None, True, 0, ["revoked"]],  # session, locked, loads, events
        "after": [True, False, 0],  # the same database, locked, loads
    }


def test_beats_that_come_late_for_their_stream_get_one_of_their_own(found: dict[str, Any]) -> None:
    """Another tab went on with the stream while they waited for room."""
    rows_of_streams, rows, gaps = found["streamThatWentOn"]
    assert (rows_of_streams, rows, gaps) == ([2, 3], 5, 2)


def test_rows_of_another_key_are_deleted_and_that_is_told(found: dict[str, Any]) -> None:
    """Whether it is told, and how many rows are left, at four sign-ins, two with each key."""
    assert found["signInWithAnotherKey"] == [[False, 0], [False, 1], [True, 0], [False, 1]]
