"""Copy, back up, restore and check stores."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from store.maintenance.copy import CopyResult
    from store.maintenance.rebalance import (
        PlannedMove,
        RebalancePlan,
        RebalanceResult,
        ServerState,
        list_servers,
        move_people,
        plan_rebalance,
        set_drained,
    )
    from store.maintenance.retention import BACKUP_PREFIX, remove_old_backups
    from store.maintenance.server_backup import create_server_backup, move, restore_server_backup
    from store.maintenance.server_check import check_stores
    from store.maintenance.sqlite_backup import (
        BackupResult,
        RestoreResult,
        create_backup,
        made_ns,
        remove_stopped_restore,
        restore,
    )
    from store.maintenance.sqlite_check import IntegrityReport, check_sqlite
    from store.maintenance.trial import remove_stopped_trial, trial_folder

__all__ = [
    "BACKUP_PREFIX",
    "BackupResult",
    "CopyResult",
    "IntegrityReport",
    "PlannedMove",
    "RebalancePlan",
    "RebalanceResult",
    "RestoreResult",
    "ServerState",
    "check_sqlite",
    "check_stores",
    "create_backup",
    "create_server_backup",
    "list_servers",
    "made_ns",
    "move",
    "move_people",
    "plan_rebalance",
    "remove_old_backups",
    "remove_stopped_restore",
    "remove_stopped_trial",
    "restore",
    "restore_server_backup",
    "set_drained",
    "trial_folder",
]

# Loaded when used: a backup of the embedded store needs neither SQLAlchemy nor an InfluxDB client.
_LAZY = {
    "BACKUP_PREFIX": "retention",
    "BackupResult": "sqlite_backup",
    "CopyResult": "copy",
    "IntegrityReport": "sqlite_check",
    "PlannedMove": "rebalance",
    "RebalancePlan": "rebalance",
    "RebalanceResult": "rebalance",
    "RestoreResult": "sqlite_backup",
    "ServerState": "rebalance",
    "check_sqlite": "sqlite_check",
    "check_stores": "server_check",
    "create_backup": "sqlite_backup",
    "create_server_backup": "server_backup",
    "list_servers": "rebalance",
    "made_ns": "sqlite_backup",
    "move": "server_backup",
    "move_people": "rebalance",
    "plan_rebalance": "rebalance",
    "remove_old_backups": "retention",
    "remove_stopped_restore": "sqlite_backup",
    "remove_stopped_trial": "trial",
    "restore": "sqlite_backup",
    "restore_server_backup": "server_backup",
    "set_drained": "rebalance",
    "trial_folder": "trial",
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
