"""Prompts and ratings as CSV of m-Path and REDCap: out and in is the same; bad rows say why."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from api.services.prompt_csv import import_prompts_csv, write_prompts_csv
from api.services.prompted import split_ratings
from ebbtide.beats import new_id
from ebbtide.timestamps import DAY, FOREVER, HOUR, MINUTE, SECOND
from store import Stores
from store.models import Person, Prompt, PromptState, Rating, SkipReason
from tests.support.accounts import add_account


def _fill(stores: Stores, person: Person) -> None:
    begun = (stores.now() - 5 * DAY) // SECOND * SECOND
    prompt = Prompt(
        *(new_id(), person.id, "a", "random", begun, person.zone, 0.25, 1, begun),
        *(begun + 45 * MINUTE, PromptState.SENT),
        sent_ns=begun,
    )
    later = begun + DAY
    others = [
        replace(prompt, id=new_id(), slot="b", planned_ns=later, sent_ns=later, reason="heart"),
        replace(
            prompt,
            id=new_id(),
            slot="c",
            planned_ns=later + HOUR,
            state=PromptState.SKIPPED,
            skip_reason=str(SkipReason.LATE),
            sent_ns=None,
        ),
    ]
    others[0] = replace(others[0], expires_ns=later + 45 * MINUTE)
    for item in (prompt, *others):
        assert stores.prompts.import_prompt(item)
    for about, prompt_id in ((begun + MINUTE, prompt.id), (later + MINUTE, others[0].id)):
        rating = Rating(new_id(), 1, person.id, about, about, person.zone, 3, 6, None, False)
        assert stores.records.add_rating(replace(rating, prompt_id=prompt_id)).prompt_id
    alone = begun + 3 * DAY
    stores.records.add_rating(
        Rating(new_id(), 1, person.id, alone, alone, person.zone, 2, 2, 8, False)
    )


def _text(stores: Stores, person: Person, form: str) -> str:
    prompts = stores.prompts.prompts(person.id, *FOREVER)
    return write_prompts_csv(prompts, stores.records.ratings(person.id, *FOREVER), form, person.id)


@pytest.mark.parametrize("form", ["m-path", "redcap"])
def test_out_and_in_is_the_same_and_once(stores: Stores, form: str) -> None:
    ada, eve = (add_account(stores, f"{name}@example.org") for name in ("ada", "eve"))
    _fill(stores, ada)
    text = _text(stores, ada, form)
    again = import_prompts_csv(stores, ada, text, form)
    assert (again.stored, again.new, again.skipped) == (4, 0, [])
    stolen = import_prompts_csv(stores, eve, text, form)  # ids of another's
    assert not stores.prompts.prompts(eve.id, *FOREVER)
    assert [number for number, _ in stolen.skipped] == [0, 1, 3]
    mark = ";" if form == "m-path" else ","
    rows = list(csv.DictReader(io.StringIO(text), delimiter=mark))
    names = [name for name in rows[0] if name not in ("ebbtide_prompt", "ebbtide_rating")]
    foreign = io.StringIO()
    writer = csv.DictWriter(foreign, names, delimiter=mark, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    for new in (4, 0):
        report = import_prompts_csv(stores, eve, foreign.getvalue(), form)
        assert (report.stored, report.new, report.skipped) == (4, new, [])

    def content(person: Person) -> tuple[object, ...]:
        ratings = stores.records.ratings(person.id, *FOREVER)
        prompts = stores.prompts.prompts(person.id, *FOREVER)
        return (
            [
                (item.about_ns, item.pain, item.stress, item.pleasant, item.prompt_id is None)
                for item in ratings
            ],
            [
                (item.planned_ns, item.sent_ns, item.reason, item.chance, item.skip_reason)
                for item in prompts
            ],
            [item.answered_ns for item in prompts],
        )

    assert content(eve) == content(ada)
    split = split_ratings(stores, eve, stores.records.ratings(eve.id, *FOREVER))
    assert (len(split.ratings), split.left_out) == (2, 1)  # the heart's stays the heart's


def test_rows_that_cannot_be_taken_say_why(stores: Stores) -> None:
    ada = add_account(stores, "ada@example.org")
    head = "prompt_sent,rating_timestamp,pain,stress,ebbtide_reason\n"
    rows = [
        ("2026-01-02 08:00,2026-01-02 08:05,3,11,", "not from 0 to 10"),
        ("2026-01-02 08:00,,3,4,", "no rating_timestamp"),
        ("2026-01-02 08:00,2026-01-02 07:05,3,4,", "before the prompt"),
        ("2999-01-02 08:00,,,,", "in the future"),
        ("2026-01-02 08:00,,,,by luck", "ebbtide_reason is"),
        (",,,,", "neither a prompt nor a rating"),
    ]
    text = head + "".join(f"{row}\n" for row, _ in rows)
    report = import_prompts_csv(stores, ada, text, "redcap")
    assert (report.stored, report.new) == (0, 0)
    for (number, said), (_, words) in zip(report.skipped, rows, strict=True):
        assert words in said, (number, said)
    for bad in ("a,b\n1,2\n", head + "x\n" * 1001):
        with pytest.raises(ValueError, match="has "):
            import_prompts_csv(stores, ada, bad, "redcap")


@pytest.mark.parametrize("form", ["m-path", "redcap"])
def test_what_was_asked_apart_comes_back_as_it_was(stores: Stores, form: str) -> None:
    ada, eve = (add_account(stores, f"{name}@example.org") for name in ("ada", "eve"))
    begun = (stores.now() - DAY) // SECOND * SECOND
    prompt = Prompt(
        *(new_id(), ada.id, "a", "random", begun, ada.zone, 0.25, 1, begun, begun + 45 * MINUTE),
        PromptState.SENT,
        sent_ns=begun,
        asks="stress",
    )
    assert stores.prompts.import_prompt(prompt)
    rating = Rating(
        *(new_id(), 1, ada.id, begun + MINUTE, begun + MINUTE, ada.zone, None, 4, None, False),
        prompt_id=prompt.id,
    )
    stores.records.add_rating(rating)
    text = _text(stores, ada, form).replace(prompt.id, "").replace(rating.id, "")
    assert import_prompts_csv(stores, eve, text, form).skipped == []
    (again,) = stores.prompts.prompts(eve.id, *FOREVER)
    (rated,) = stores.records.ratings(eve.id, *FOREVER)
    assert (again.asks, again.answered_ns is not None) == ("stress", True)
    assert (rated.pain, rated.stress, rated.is_complete) == (None, 4, False)
    split = split_ratings(stores, eve, [rated])
    assert split.ratings == [rated]
    bad = text.replace("stress\n", "mood\n")
    ((_, why),) = import_prompts_csv(stores, eve, bad, form).skipped
    assert "ebbtide_asks is 'mood'" in why
