"""The table of decision points: every column of its schema, and nothing that is still a secret."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest

from api.export import decision_points
from api.export.columns import COLUMNS, Table
from api.export.decision_points import decision_point_columns, load_decision_points
from api.services.export_scope import ExportQuery
from store import Stores
from tests.api.services.offers.test_results import a_trial
from tests.support.accounts import add_account


def test_columns_are_those_of_the_table_and_what_was_not_drawn_is_null(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = list(a_trial(-1, n=12, lost_after_offer=0.5).rows)
    closed = replace(rows[0].point, available=False, why_not="at night", drawn_ns=None)
    closed = replace(closed, nonce=None, probability=None, offered=None, arm=None)
    rows[0] = replace(rows[0], point=closed, before=None, after=None, practices=())
    rows[-1] = replace(rows[-1], is_open=True)
    monkeypatch.setattr(decision_points, "load_moments", lambda *_: rows)
    query = ExportQuery(start_ns=rows[0].point.planned_ns, end_ns=2**62)
    found = load_decision_points(stores, add_account(stores, "ada@example.org"), query)
    assert found == rows[:-1]  # the last one's draw is nobody's to see yet
    columns = decision_point_columns(found, [9.0] * len(found))
    assert columns.keys() == COLUMNS[Table.DECISION_POINTS].keys()
    for name, column in COLUMNS[Table.DECISION_POINTS].items():
        assert len(pa.array(columns[name], type=column.kind)) == len(found), name
    for name in ("probability", "offered", "arm", "answered", "taken", "practised", "stress_after"):
        assert columns[name][0] is None, name
    assert columns["taken"][1:] == [row.taken is not None for row in found[1:]]
    assert columns["stress_after"][1:] == [row.stress[1] for row in found[1:]]
