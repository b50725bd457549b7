"""docs/guides/nights.ipynb runs, against simulated nights that have nothing to do with the days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from ebbtide.beats import new_id
from ebbtide.nights import Night, NightBasis
from ebbtide.timestamps import DAY, HOUR, to_datetime
from store import Stores
from store.models import Rating, Role
from tests.conftest import ROOT
from tests.support.accounts import PASSWORD
from tests.support.clinic import opened_clinic


def test_the_notebook_shows_agreement_and_finds_no_link(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(4)
    with opened_clinic(stores) as clinic:
        person = clinic.add("simulated0", Role.PATIENT)
        first = to_datetime(stores.now()) - timedelta(days=60)
        for k in range(56):
            woke = datetime(first.year, first.month, first.day, 6, tzinfo=UTC) + timedelta(days=k)
            end_ns = int(woke.timestamp()) * 1_000_000_000
            rmssd = 40 * float(np.exp(0.2 * rng.normal()))
            stores.nights.put_nights(
                person.id,
                [
                    Night(
                        *(woke.date().isoformat(), source, end_ns - 7 * HOUR, end_ns, 0),
                        NightBasis.VALUES,
                        rmssd_ms=level * rmssd * float(np.exp(0.02 * rng.normal())),
                        windows=84,
                        steps=84,
                    )
                    for source, level in (("a ring", 1.0), ("a strap", 1.3))
                ],
                stores.now(),
            )
            for hours in (3, 9):
                at = end_ns + hours * HOUR
                pain, stress = (int(rng.integers(2, 9)) for _ in range(2))
                stores.records.add_rating(
                    Rating(new_id(), 1, person.id, at, at, "UTC", pain, stress, None, True)
                )
        assert at < stores.now() - DAY
        monkeypatch.setenv("EBBTIDE_API_URL", clinic.url)
        monkeypatch.setenv("EBBTIDE_EMAIL", "simulated0@example.org")
        monkeypatch.setenv("EBBTIDE_PASSWORD", PASSWORD)
        notebook = nbformat.read(ROOT / "docs" / "guides" / "nights.ipynb", as_version=4)
        NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    texts = [
        "".join(out.get("text", "") for out in cell.outputs)
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]
    assert texts[1].count("56") == 2 and "0 days without" in texts[1]
    assert "a ring by a strap: 0.77" in texts[2] and "56 nights" in texts[2]
    assert texts[3].count("cannot be told") == 3
    assert "7.5 h at rest, 100% of it known" in texts[4]
