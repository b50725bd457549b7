"""Log what administrators and operators do with an account, where its person sees it."""

from __future__ import annotations

from store import Stores
from store.models import AccessLogEntry, AuditLine, Person, Role

OPERATOR_ID = "operator"  # in place of an account: whoever runs commands on the server


def log_act(stores: Stores, actor: Person | None, person: Person, what: str) -> None:
    """Add an act to the person's access log and to the audit log. ``actor`` None: the operator."""
    now = stores.now()
    actor_id = OPERATOR_ID if actor is None else actor.id
    role = Role.ADMINISTRATOR if actor is None else actor.role
    stores.access.add_access_log([AccessLogEntry(person.id, actor_id, str(role), now, what)])
    stores.records.add_audit(AuditLine(now, what, person.subject_id))
