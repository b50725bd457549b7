"""Send mail through the clinic's server (``EBBTIDE_SMTP_...``)."""

from __future__ import annotations

import contextlib
import logging
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path

from api.services.errors import MailError
from ebbtide.errors import EbbtideError
from ebbtide.settings import Settings

_TIMEOUT_S = 20
log = logging.getLogger("ebbtide.api")


@dataclass(frozen=True, slots=True)
class Mailer:
    """Send mail from ``sender``. ``pages_url``: where links lead to."""

    host: str
    port: int
    security: str
    sender: str
    pages_url: str
    user: str | None = None
    password: str = field(default="", repr=False)
    ca_file: Path | None = None

    def send(self, to: str, subject: str, text: str) -> None:
        """Send a text; blocks up to 20 s. Raises MailError."""
        try:
            message = EmailMessage()
            message["From"], message["To"], message["Subject"] = self.sender, to, subject
            message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain="ebbtide")
            message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no absence notes in reply
            message.set_content(text)
            with self._connect() as server:
                if self.user is not None:
                    server.login(self.user, self.password)
                server.send_message(message)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            # Its text may hold the address of the person, which is not for logs.
            log.warning("mail could not be sent: %s", type(error).__name__)
            raise MailError("The mail could not be sent. Try again later.") from error

    def try_to_send(self, to: str, subject: str, text: str) -> None:
        """Send a text that nobody waits for; a failure is logged."""
        with contextlib.suppress(MailError):
            self.send(to, subject, text)

    def _connect(self) -> smtplib.SMTP:
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.security == "tls":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=_TIMEOUT_S, context=context)
        server = smtplib.SMTP(self.host, self.port, timeout=_TIMEOUT_S)
        if self.security == "starttls":
            try:
                server.starttls(context=context)
            except (OSError, smtplib.SMTPException):
                server.close()
                raise
        return server


def mailer_from_settings(settings: Settings) -> Mailer | None:
    """The mailer that the settings name; None where they name none. Raises EbbtideError where a
    password would travel without encryption, or there is no sender.
    """
    if settings.smtp_host is None:
        return None
    secret = settings.smtp_password
    if settings.smtp_from is None:
        raise EbbtideError(
            "EBBTIDE_SMTP_HOST is set, but not from which address mail is sent.",
            "Set EBBTIDE_SMTP_FROM, such as ebbtide@clinic.example.",
        )
    if settings.smtp_security == "none" and secret is not None:
        raise EbbtideError(
            "The password for mail would be sent without encryption.",
            "Set EBBTIDE_SMTP_SECURITY to starttls or tls, or leave the password out.",
        )
    return Mailer(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_security,
        settings.smtp_from,
        settings.dashboard_url,
        settings.smtp_user,
        "" if secret is None else secret.get_secret_value(),
        settings.smtp_ca_file,
    )
