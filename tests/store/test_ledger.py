"""The ledger of erasures: what its lines say, and which harm no other."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from store import ErasureLedger, ErasureScope
from store.ledger import NAME_BESIDE_BACKUPS


@pytest.fixture
def ledger(tmp_path: Path) -> ErasureLedger:
    return ErasureLedger(tmp_path / "ledger.jsonl")


@pytest.mark.parametrize(
    "damaged",
    [
        '{"kind":"ledger","since_ns":Infinity}',
        '{"kind":"ledger","since_ns":1e999}',
        '{"kind":"erasure","id":"a","at_ns":-Infinity,"subject":"s","account":"","scope":"data",'
        '"tokens":[]}',
        '{"kind":"backup","folder":"/x","made_ns":NaN}',
        '{"kind":"backup","folder":"a\\u0000b","made_ns":1}',
        '{"kind":"backup","folder":"/a\\u0000b/c","made_ns":1}',
        '{"kind":"backup","folder":"relative/c","made_ns":1}',
        '{"kind":"backup","folder":"/\\ud800/c","made_ns":1}',
        '{"kind":"backup","folder":{"a":1},"made_ns":1}',
        "[" * 10**5,
        '{"kind":' + "[" * 10**5 + "]" * 10**5 + "}",
        '{"kind":"erasure","id":"ab',
        "\x00\x00",
        "[]",
    ],
)
def test_a_damaged_line_harms_no_other_and_writes_nothing_elsewhere(
    ledger: ErasureLedger, damaged: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started_in = tmp_path / "started in"
    started_in.mkdir()
    monkeypatch.chdir(started_in)
    ledger.begin(7)
    before = ledger.begin_erasure("one", "account")
    with ledger.place.open("a") as file:
        file.write(f"{damaged}\n")
    after = ledger.begin_erasure("two")
    ledger.finish_erasure(before, 1)
    content = ledger.read()
    assert content.since_ns == 7
    assert set(content.erasures) == {before.id, after.id}
    assert content.unfinished == [after]
    assert content.backups == {}
    assert list(started_in.iterdir()) == []


def test_the_copy_beside_a_backup_is_completed_once(ledger: ErasureLedger, tmp_path: Path) -> None:
    folder = tmp_path / "backups" / "one"
    folder.mkdir(parents=True)
    # As written by hand, and by an earlier version.
    ledger.place.write_text('{ "since_ns": 3, "kind": "ledger" }\n')
    ledger.add_backup(folder, 5)
    copy = folder.parent / NAME_BESIDE_BACKUPS
    for subject in ("one", "two"):
        ledger.begin_erasure(subject)
    kinds = [json.loads(line)["kind"] for line in copy.read_text().split("\n") if line]
    assert kinds == ["ledger", "backup", "erasure", "erasure"]
    # A disk that was away.
    copy.unlink()
    ledger.begin_erasure("three")
    assert len(ErasureLedger(copy).read().erasures) == 3


def test_a_backup_folder_that_became_a_file_stops_nothing(
    ledger: ErasureLedger, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    ledger.add_backup(folder / "one", 5)
    (folder / NAME_BESIDE_BACKUPS).unlink()
    folder.rmdir()
    folder.write_text("a file")
    ledger.begin_erasure("one")
    assert len(ledger.read().erasures) == 1


def test_appending_to_a_long_ledger_is_quick(
    ledger: ErasureLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand took 19 s, as each parsed all lines several times; here without the disk."""
    line = {"kind": "finished", "id": "a" * 32, "at_ns": 1}
    ledger.place.write_text("".join(f"{json.dumps(line)}\n" for _ in range(3000)))
    monkeypatch.setattr(os, "fsync", lambda _: None)
    begin = time.process_time()
    for number in range(100):
        ledger.begin_erasure(f"{number}")
    assert time.process_time() - begin < 1.0
    assert len(ledger.read().erasures) == 100


def test_the_line_that_says_most_of_an_account_counts(ledger: ErasureLedger) -> None:
    # Adopted without the account after the withdrawal was noted: the account stays.
    ledger.begin_erasure("one", "account", scope=ErasureScope.DATA)
    ledger.begin_erasure("one")
    # Adopted as everything by an earlier version, and as data later.
    ledger.begin_erasure("two")
    ledger.begin_erasure("two", scope=ErasureScope.DATA)
    # Withdrew, and was erased later under another subject.
    ledger.begin_erasure("three", "other", scope=ErasureScope.DATA)
    ledger.begin_erasure("four", "other")
    content = ledger.read()
    expected = {
        ("one", "account"): ErasureScope.DATA,
        ("one", ""): ErasureScope.DATA,
        ("two", "whoever"): ErasureScope.DATA,
        ("three", "other"): ErasureScope.EVERYTHING,
        ("three", ""): ErasureScope.DATA,
        ("four", ""): ErasureScope.EVERYTHING,
    }
    for (subject, account), scope in expected.items():
        found = content.find(subject, account)
        assert found is not None
        assert found.scope is scope, (subject, account)
    assert content.find("nobody", "nobody") is None
