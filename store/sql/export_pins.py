"""Which file a reading of an export by ranges began with, in an SQL database."""

from __future__ import annotations

from sqlalchemy import delete

from store.models.access import ExportPin
from store.sql.engine import SqlStore, dialect_insert, write_transaction
from store.sql.rows import from_row, to_values
from store.sql.tables.access import ExportPinRow


class SqlExportPinStore(SqlStore):
    """An ExportPinStore on the engine of the records store."""

    def find_export_pin(self, reader: str) -> ExportPin | None:
        """Find the file that this reading began with."""
        with self._sessions() as db:
            row = db.get(ExportPinRow, reader)
            return None if row is None else from_row(ExportPin, row)

    def put_export_pin(self, pin: ExportPin, expired_ns: int) -> None:
        """Store a pin; see ExportPinStore."""
        values = to_values(pin)
        with write_transaction(self._engine) as db:
            db.execute(
                dialect_insert(db, ExportPinRow)
                .values(values)
                .on_conflict_do_update(index_elements=[ExportPinRow.reader], set_=values)
            )
            db.execute(delete(ExportPinRow).where(ExportPinRow.used_ns < expired_ns))
