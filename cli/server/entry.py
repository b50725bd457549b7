"""How the browser of this machine's user comes into the pages that ``ebbtide start`` serves."""

from __future__ import annotations

import logging
import platform
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from api.services.access_tokens import DEVICE_LIFETIME_NS, issue_token
from api.services.first_run import (
    find_local_owner,
    has_accounts,
    issue_first_run_secret,
    issue_local_link,
)
from cli.credentials import CredentialFile, Credentials
from cli.server.local_peer import is_own_connection
from cli.server.running import ADDRESS_PATH, PROVE_PATH, prove, running_file
from dashboard.browser_cookies import Cookie, first_run_cookie, session_cookie
from dashboard.server import set_cookie
from ebbtide._files import write_private_json
from ebbtide.client import ApiError, Client
from ebbtide.errors import EbbtideError
from ebbtide.settings import Settings
from store import Stores
from store.models import Person
from store.models.access import Scope, TokenKind
from store.models.records import Role

_ENTER = "/start"
_FIRST_RUN_S, _OWN_S = 86_400, 90 * 86_400
_LOG = logging.getLogger("ebbtide.start")
_NOT_YOURS = "Open Ebbtide from the account of this computer that started it: ebbtide start"


class Entry:
    """The addresses that open the pages signed in, and the routes that they lead to.

    ``mark`` is in a file that this user alone reads: by it another ``ebbtide start`` recognises
    this process, and is recognised.
    """

    def __init__(self, url: str, api_url: str, stores: Stores, mark: str) -> None:
        self.url = url
        self._api_url = api_url
        self._stores = stores
        self._mark = mark
        self.routes = [
            Route(_ENTER, self._enter, methods=["GET"]),
            Route(PROVE_PATH, self._prove, methods=["GET"]),
            Route(ADDRESS_PATH, self._give_address, methods=["POST"]),
        ]

    @classmethod
    @contextmanager
    def opened(
        cls, settings: Settings, stores: Stores, sign_in: Callable[[Person], None]
    ) -> Iterator[Entry]:
        """Make the entry of a process that is about to serve, and remove its file at the end."""
        owner = find_local_owner(stores)
        if owner is not None:
            sign_in(owner)
        mark, path = secrets.token_urlsafe(32), running_file(settings)
        try:
            write_private_json(path, {"url": settings.api_url, "mark": mark})
        except OSError as error:
            raise EbbtideError(
                f"{path} cannot be written: {error.strerror or error}.",
                "Let this user write there, or set EBBTIDE_DATA_DIR to another folder.",
            ) from error
        try:
            yield cls(settings.dashboard_url, settings.api_url, stores, mark)
        finally:
            with suppress(OSError):
                path.unlink()

    def address(self) -> str:
        """Return an address that opens the pages: the first run, or signed in without a password;
        either is good once.
        """
        if not has_accounts(self._stores):
            return f"{self.url}{_ENTER}?first={issue_first_run_secret(self._stores)}"
        owner = find_local_owner(self._stores)
        if owner is None:
            return self.url
        return f"{self.url}{_ENTER}?link={issue_local_link(self._stores, owner)}"

    async def _enter(self, request: Request) -> Response:
        """Put what the address has into a cookie, and go on to the pages without it."""
        if not self._is_own(request):
            return PlainTextResponse(_NOT_YOURS, 403)
        origin = f"http://{request.headers['host']}"
        cookie = await run_in_threadpool(self._find_cookie, request, origin)
        response = RedirectResponse("/", 303)
        response.headers["Cache-Control"] = "no-store"
        if cookie is not None:
            set_cookie(response, cookie, origin)
        return response

    def _find_cookie(self, request: Request, origin: str) -> Cookie | None:
        query, api = request.query_params, Client(self._api_url)
        try:
            if "first" in query and api.is_first_run(query["first"]):
                return Cookie(first_run_cookie(origin), query["first"], _FIRST_RUN_S)
            if "link" in query and not self._is_signed_in(request, origin):
                token = api.sign_in_with_link(query["link"])["token"]
                return Cookie(session_cookie(origin), token, _OWN_S)
        except ApiError:
            pass  # used, or over: the pages say how to go on
        return None

    def _is_signed_in(self, request: Request, origin: str) -> bool:
        token = request.cookies.get(session_cookie(origin))
        if token is None:
            return False
        try:
            Client(self._api_url, token).me()
        except ApiError:
            return False
        return True

    async def _prove(self, request: Request) -> Response:
        return PlainTextResponse(prove(self._mark, request.query_params.get("nonce", "")))

    async def _give_address(self, request: Request) -> Response:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not self._is_own(request) or not secrets.compare_digest(
            given.encode(), self._mark.encode()
        ):
            return PlainTextResponse(_NOT_YOURS, 403)
        return JSONResponse({"address": await run_in_threadpool(self.address)})

    def _is_own(self, request: Request) -> bool:
        client = None if request.client is None else (request.client.host, request.client.port)
        return is_own_connection(client, request.scope.get("server"))


def sign_machine_in(settings: Settings, stores: Stores) -> Callable[[Person], None]:
    """Return a function that signs this machine in, so that it can record for a person."""

    def sign_in(person: Person) -> None:
        file = CredentialFile(settings.sign_ins_file)
        try:
            if any(item.account == person.id for item in file.all()):
                return
            token, _ = issue_token(
                *(stores, person, TokenKind.DEVICE, platform.node() or "this computer"),
                *(frozenset({Scope.UPLOAD}), DEVICE_LIFETIME_NS),
            )
            file.put(Credentials(person.email, settings.api_url, token, person.id, person.zone))
        except EbbtideError as error:
            _LOG.warning("this computer is not signed in to record: %s", error)

    return lambda person: sign_in(person) if person.role is Role.PATIENT else None
