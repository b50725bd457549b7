"""The mail of this application, for routes."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from api.services.mail import Mailer


async def get_mailer(request: Request) -> Mailer | None:
    """The mailer; None where no server for mail is set."""
    mailer: Mailer | None = request.app.state.mailer
    return mailer


MailerDep = Annotated[Mailer | None, Depends(get_mailer)]
