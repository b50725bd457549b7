"""The demo's first page: whom to be, with one click."""

from __future__ import annotations

from html import escape

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from api.services.access_tokens import ALL_SCOPES, issue_token
from cli.demo.clinic import SampleAccounts
from dashboard.browser_cookies import Cookie, session_cookie
from dashboard.server import is_own_origin, read_small_body, set_cookie
from ebbtide.i18n import N_, choose_language, translator
from ebbtide.timestamps import DAY
from store import Stores
from store.models import Role
from store.models.access import TokenKind

ROLES_PATH, _ENTER = "/demo", "/demo/enter"
_ABOUT = {
    Role.PATIENT: (
        N_("Patient"),
        N_("Ada has worn a strap for twelve weeks. Rate, look back, practise."),
    ),
    Role.THERAPIST: (
        N_("Therapist"),
        N_("Two minutes before a session: a dozen patients, each different."),
    ),
    Role.ANALYST: (N_("Analyst"), N_("Tables under pseudonyms, for research.")),
    Role.ADMINISTRATOR: (
        N_("Administrator"),
        N_("Accounts and care. Reads nobody's data."),
    ),
}
_WORDS = {
    "title": N_("Ebbtide: try it"),
    "heading": N_("Whom would you like to be?"),
    "about": N_(
        "Everything here is simulated, and is removed when the demo ends. Come back to this page "
        "to be somebody else."
    ),
    "not_a_device": N_("Not a medical device. It makes no diagnosis."),
}
_PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 17px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 2rem auto;
  padding: 0 1rem; }}
button {{ font: inherit; text-align: left; width: 100%; padding: .8rem 1rem; margin: 0 0 .8rem;
  border: 1px solid #80868c; border-radius: .6rem; background: transparent; color: inherit;
  cursor: pointer; }}
button:hover, button:focus-visible {{ outline: 3px solid #1f7a8c; }}
strong {{ display: block; }}
</style>
</head>
<body>
<main>
<h1>{heading}</h1>
<p>{about}</p>
<form method="post" action="{enter}">
{buttons}
</form>
<p>{not_a_device}</p>
</main>
</body>
</html>
"""


class RolesPage:
    """Serve the choice of roles, and sign the browser in as the one that was chosen."""

    def __init__(self, stores: Stores, accounts: SampleAccounts) -> None:
        self._stores = stores
        self._people = accounts.by_role
        self.routes = [
            Route(ROLES_PATH, self._choose, methods=["GET"]),
            Route(_ENTER, self._enter, methods=["POST"]),
        ]

    async def _choose(self, request: Request) -> Response:
        language = choose_language(request.headers.get("accept-language", ""))
        say = translator(language)
        buttons = "\n".join(
            f'<button name="role" value="{role}"><strong>{escape(say(title))}</strong>'
            f"{escape(say(about))}</button>"
            for role, (title, about) in _ABOUT.items()
        )
        words = {name: escape(say(text)) for name, text in _WORDS.items()}
        page = _PAGE.format(language=language, enter=_ENTER, buttons=buttons, **words)
        return HTMLResponse(page, headers={"Vary": "Accept-Language"})

    async def _enter(self, request: Request) -> Response:
        # The form's own Origin is "null", since the pages send no referrer.
        is_own = request.headers.get("sec-fetch-site") == "same-origin"
        if not is_own and not is_own_origin(request.headers, None):
            return PlainTextResponse("This is for the demo's own page.", 403)
        role = (await read_small_body(request) or "").removeprefix("role=")
        if role not in set(Role):
            return PlainTextResponse("Choose one of the roles of /demo.", 422)
        person = self._people[Role(role)]
        token, _ = await run_in_threadpool(
            issue_token, self._stores, person, TokenKind.SESSION, "demo", ALL_SCOPES, DAY
        )
        origin = f"http://{request.headers['host']}"
        response = RedirectResponse("/", 303)
        set_cookie(response, Cookie(session_cookie(origin), token, None), origin)
        return response
