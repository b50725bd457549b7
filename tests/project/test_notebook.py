"""docs/guides/analyst.ipynb runs, against simulated people in whom nothing is linked."""

from __future__ import annotations

from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from ebbtide.beats import new_id
from ebbtide.timestamps import DAY, HOUR
from store import Stores
from store.models import Purpose, Rating, Role
from tests.conftest import ROOT
from tests.support.accounts import PASSWORD
from tests.support.clinic import opened_clinic
from tests.support.cohort_clinic import RELEASED_WEEKS


def interval_of(text: str) -> tuple[float, float]:
    low, high = text[text.index("[") + 1 : text.index("]")].split(",")
    return float(low), float(high)


def test_the_notebook_goes_from_sign_in_to_a_mixed_model(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rng = np.random.default_rng(4)
    begin = stores.now() // DAY * DAY - (40 + 7 * RELEASED_WEEKS) * DAY
    with opened_clinic(stores) as clinic:
        for number in range(12):
            name = f"simulated{number}"
            person = clinic.add(name, Role.PATIENT)
            clinic.agree(name, Purpose.RESEARCH)
            for k in range(72):
                share = k / 72
                at = begin + (k // 2) * DAY + (9 + 9 * (k % 2)) * HOUR
                pain, stress = (
                    int(np.clip(np.round(7 - 4 * share + rng.normal(0, 1.2)), 0, 10))
                    for _ in range(2)
                )
                stores.records.add_rating(
                    Rating(new_id(), 1, person.id, at, at, "UTC", pain, stress, None, True)
                )
        monkeypatch.setenv("EBBTIDE_API_URL", clinic.url)
        monkeypatch.setenv("EBBTIDE_EMAIL", "ann@example.org")
        monkeypatch.setenv("EBBTIDE_PASSWORD", PASSWORD)
        notebook = nbformat.read(ROOT / "docs" / "guides" / "analyst.ipynb", as_version=4)
        assert len(notebook.cells) <= 11
        NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    texts = {
        cell.id: "".join(out.get("text", "") for out in cell.outputs)
        for cell in notebook.cells
        if cell.cell_type == "code"
    }
    words = list(texts.values())
    assert "12 people, 864 ratings" in words[1]
    naive, residuals = (interval_of(text) for text in words if "[" in text and "]" in text)
    assert naive[0] > 0.1  # the mistake: a link where there is none
    assert residuals[0] < 0 < residuals[1]
