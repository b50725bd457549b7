"""``ebbtide retention``: what it erases, and what it says remains."""

from __future__ import annotations

import sqlite3

import pytest
from typer.testing import CliRunner

from cli.main import app
from ebbtide.settings import Settings
from ebbtide.timestamps import DAY
from store import open_stores
from store.models import Consent, Purpose
from tests.support.accounts import add_account


@pytest.fixture
def expired(settings: Settings) -> Settings:
    """A store with two people whose consent ran out, and one who stays."""
    stores = open_stores(settings)
    for name in ("ada", "eve", "tim"):
        person = add_account(stores, f"{name}@example.org")
        now = stores.now()
        until_ns = None if name == "tim" else now - DAY
        answer = Consent(person.id, Purpose.KEEPING, True, "w", now - 2 * DAY, until_ns)
        stores.records.add_consent(answer)
    stores.close()
    return settings


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_retention_says_what_remains(
    expired: Settings, fails: bool, options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    if fails:
        monkeypatch.setattr("store.sql.purge.overwrite_deleted", full)
    environment = {"EBBTIDE_DATA_DIR": str(expired.data_dir)}
    done = CliRunner().invoke(app, ["retention", "--apply", *options], env=environment)
    assert done.exit_code == 0, done.output
    assert done.output.count("To be done: ") == fails
    assert ("disk is full" in done.output) == fails
    if not options:
        assert "2 people were erased, and read again: nothing is left in the store." in done.output
    stores = open_stores(expired)
    assert [person.email for person in stores.records.people()] == ["tim@example.org"]
    assert stores.ledger is not None
    assert len(stores.ledger.read().unfinished) == (2 if fails else 0)
    stores.close()
