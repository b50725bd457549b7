"""Erase a person from what this machine needs to record them: outbox, sign-in, paired straps."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ebbtide.errors import EbbtideError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ebbtide.settings import Settings

_LOG = logging.getLogger("ebbtide.erasure")


def erase_local(settings: Settings, account: str) -> bool:
    """Erase an account from this machine; whether anything of it was there. ECG recordings stay:
    they name a strap and no person. Raises EbbtideError.
    """
    from cli.credentials import CredentialFile
    from ingest.outbox.outbox import Outbox
    from ingest.straps.paired import PairedStraps

    found = False
    if settings.outbox_file.exists():
        outbox = Outbox(settings.outbox_file)
        try:
            found = any(state.account == account for state in outbox.states())
            outbox.comparison.erase(account)
        finally:
            outbox.close()
    credentials = CredentialFile(settings.sign_ins_file)
    emails = {item.email.lower() for item in credentials.all() if item.account == account}
    if emails:
        straps = PairedStraps(settings.straps_file)
        for strap in straps.all():
            if strap.patient.lower() in emails:
                straps.remove(strap)
        credentials.remove(account)
        found = True
    return found


def local_eraser(settings: Settings) -> Callable[[str], None]:
    """``erase_local`` for the API, which goes on where this machine's files cannot be read."""

    def erase(account: str) -> None:
        try:
            erase_local(settings, account)
        except EbbtideError as error:
            # The recorder deletes its part when it reaches the API next.
            _LOG.error("this machine's outbox was not erased: %s", type(error).__name__)

    return erase
