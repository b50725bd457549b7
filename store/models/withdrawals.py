"""A withdrawal of consent to keeping, and how far it is carried out."""

from __future__ import annotations

from dataclasses import dataclass

# Tables of the account and not of what was kept; all other rows of a person are its data.
OF_ACCOUNT = frozenset(
    {
        "care",
        "care_proposals",
        "consents",
        "fhir_exports",
        "known_devices",
        "looks",
        "one_time",
        "passkeys",
        "recovery_codes",
        "sign_ins",
        "storage_keys",
        "totp",
        "withdrawals",
    }
)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Consent to keeping that was taken back at ``withdrawn_ns``: the data are erased at ``due_ns``
    unless the person agrees again before.

    ``begun_ns``: the records were erased, and the account has a new subject since; the beats of
    ``subject_id``, which it had, are being erased. ``done_ns``: they were. The counts are of what
    was erased. ``leased_until_ns``: until then one worker carries it out.
    """

    person_id: str
    withdrawn_ns: int
    due_ns: int
    begun_ns: int | None = None
    done_ns: int | None = None
    subject_id: str | None = None
    beats: int = 0
    ratings: int = 0
    heart_rates: int = 0
    notes: int = 0
    practices: int = 0
    sessions: int = 0
    leased_until_ns: int = 0
