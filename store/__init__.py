"""Persistence: beats in SQLite or InfluxDB; people, ratings, access and programme in SQL.

Other packages use this face and ``store.models``, ``store.errors`` and ``store.maintenance``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from store.ledger import (
    ErasureLedger,
    ErasureScope,
    LedgerContent,
    LedgerErasure,
    LedgerError,
    hash_id,
)
from store.protocols.access import (
    AccessLogStore,
    AccessStore,
    CareStore,
    ExportPinStore,
    FhirExportStore,
    IdempotencyStore,
    LockoutStore,
    PasswordStore,
    RequestCountStore,
    ResearchStore,
    StorageKeyStore,
    TokenStore,
)
from store.protocols.beats import BeatStore
from store.protocols.jobs import JobStore
from store.protocols.nights import NightStore
from store.protocols.offers import OfferStore
from store.protocols.programme import ProgrammeStore
from store.protocols.prompts import PromptStore
from store.protocols.records import RecordStore
from store.protocols.second_factors import SecondFactorStore
from store.stores import Stores

if TYPE_CHECKING:
    from store.errors import UNAVAILABLE, StoreError
    from store.factory import open_stores

__all__ = [
    "UNAVAILABLE",
    "AccessLogStore",
    "AccessStore",
    "BeatStore",
    "CareStore",
    "ErasureLedger",
    "ErasureScope",
    "ExportPinStore",
    "FhirExportStore",
    "IdempotencyStore",
    "JobStore",
    "LedgerContent",
    "LedgerErasure",
    "LedgerError",
    "LockoutStore",
    "NightStore",
    "OfferStore",
    "PasswordStore",
    "ProgrammeStore",
    "PromptStore",
    "RecordStore",
    "RequestCountStore",
    "ResearchStore",
    "SecondFactorStore",
    "StorageKeyStore",
    "StoreError",
    "Stores",
    "TokenStore",
    "hash_id",
    "open_stores",
]

# Loaded when used: they bring SQLAlchemy and the engines.
_LAZY = {
    "StoreError": "store.errors",
    "UNAVAILABLE": "store.errors",
    "open_stores": "store.factory",
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)
