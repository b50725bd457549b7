"""One's own data in bulk; a therapist's patients' below their ids."""

from __future__ import annotations

from fastapi import APIRouter, Response

from api.export.responses import BULK_RESPONSES, AskedBulk, answer_table
from api.export.tables import Table, Whom
from api.http.deps import InHouse, Whose
from api.services.cache.analysis import InKnown

shared = APIRouter(tags=["bulk"])


@shared.get("/export/{table}", response_class=Response, responses=BULK_RESPONSES)
def export(
    table: Table, person: Whose, asked: AskedBulk, house: InHouse, known: InKnown
) -> Response:
    """A table of one person's data: beats with the strap's own ticks; five-minute HRV windows;
    ratings; sessions; the rows of the link report. docs/reference/http-api.md says what each
    column is.
    """
    return answer_table(table, house, known, [Whom(person)], asked)
