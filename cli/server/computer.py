"""The computer that runs ``ebbtide start``, for the API: its checks, phones, and its end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fastapi.concurrency import run_in_threadpool
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from api.services.local_computer import ComputerCheck, ComputerTrust
from cli.server.at_login import is_installed
from cli.server.home_network import HomeNetwork, home_file
from cli.server.trust_page import trust_routes
from cli.straps.doctor import list_checks
from cli.straps.doctor_report import make_report
from dashboard.browser_cookies import Cookie, session_cookie
from dashboard.plain_page import plain_page
from dashboard.server import is_own_origin, read_small_body, set_cookie
from ebbtide.client import ApiError, Client
from ebbtide.settings import Settings

if TYPE_CHECKING:
    import uvicorn

_ENDED, _PHONE = "/ended", "/phone"
_MAX_WAIT_S = 5.0  # for the page that says that it has ended
_OWN_S = 90 * 86_400
# The code stands behind "#", where it is in no request: a preview of the address uses nothing up.
_PHONE_SCRIPT = """
const code = location.hash.slice(1), said = document.getElementById('said');
history.replaceState(null, '', location.pathname);
const button = document.querySelector('button');
if (!code) { button.remove(); said.textContent = said.dataset.none; }
button.addEventListener('click', async () => {
  button.disabled = true;
  try {
    const answer = await fetch('/phone', {method: 'POST', body: code});
    if (answer.ok) { location.replace('/'); return; }
    said.textContent = await answer.text();
  } catch { said.textContent = said.dataset.gone; }
  button.remove();
});
"""
_PHONE_BODY = """<button type="button">Sign in on this phone</button>
<p id="said" role="status" data-none="There is no code in this address. Make one on the computer."
data-gone="The computer does not answer. Are both in the same network?"></p>"""


class StartedComputer:
    """What ``app.state.computer`` is (``api.services.local_computer.LocalComputer``), and the pages
    around it that need no Streamlit.
    """

    def __init__(self, settings: Settings, port: int, end: Callable[[], None]) -> None:
        self._settings = settings
        self._end = end
        self._is_ending = threading.Event()
        self.home = HomeNetwork(port, home_file(settings))
        self.routes = [
            Route(_ENDED, self._say_ended, methods=["GET"]),
            Route(_PHONE, self._show_phone, methods=["GET"]),
            Route(_PHONE, self._sign_phone_in, methods=["POST"]),
            *trust_routes(self._fingerprint, self._certificate, self._app_url),
        ]

    @property
    def starts_at_login(self) -> bool:
        """Whether the service is installed."""
        return is_installed(self._settings)

    @property
    def home_url(self) -> str | None:
        """The address for phones; None while it is closed to them."""
        return self.home.url

    @property
    def is_encrypted(self) -> bool:
        """Whether phones come in with encryption."""
        return self.home.is_encrypted

    @property
    def trust(self) -> ComputerTrust | None:
        """What phones have to trust, once; None while they come in without encryption."""
        url, fingerprint = self.home.trust_url, self._fingerprint()
        return None if url is None or fingerprint is None else ComputerTrust(url, fingerprint)

    def _fingerprint(self) -> str | None:
        authority = self.home.authority
        return None if authority is None else authority.fingerprint

    def _certificate(self) -> bytes:
        authority = self.home.authority
        return b"" if authority is None else authority.certificate_der

    def _app_url(self) -> str | None:
        return None if self.home.trust_url is None else f"{self.home.url}/app/"

    def attach(self, server: uvicorn.Server) -> None:
        """Give the running server, from a coroutine of its loop."""
        self.home.attach(server)

    def open_home(self) -> str:
        """Let phones in the same network in."""
        return self.home.open()

    def close_home(self) -> None:
        """Let nobody in from the network any more."""
        self.home.close()

    def check(self) -> list[ComputerCheck]:
        """Run the checks of ``ebbtide doctor``."""
        return [
            ComputerCheck(check.about, check.finding.value, check.what, check.remedy)
            for check in list_checks(self._settings)
        ]

    def report(self) -> dict[str, Any]:
        """Make the report of ``ebbtide doctor``."""
        return make_report(self._settings, list_checks(self._settings))

    def end(self) -> None:
        """End when the page that says so was fetched, or in five seconds."""
        self._is_ending.set()
        last = threading.Timer(_MAX_WAIT_S, self._end)
        last.daemon = True
        last.start()

    async def _say_ended(self, _request: Request) -> Response:
        if not self._is_ending.is_set():
            return plain_page("Ebbtide runs", ["It has not ended."], body='<a href="/">Open it</a>')
        again = "To start it again, open a terminal and enter `ebbtide start`."
        if self.starts_at_login:
            again += " It also starts by itself when you next sign in to this computer."
        return plain_page(
            "Ebbtide has ended",
            ["Nothing is recorded any more, and nothing was lost. You can close this page.", again],
            then=BackgroundTask(self._end),
        )

    async def _show_phone(self, _request: Request) -> Response:
        return plain_page(
            "Ebbtide on this phone",
            ["This signs you in on this phone, until you sign out here."],
            body=_PHONE_BODY,
            script=_PHONE_SCRIPT,
        )

    async def _sign_phone_in(self, request: Request) -> Response:
        if not is_own_origin(request.headers, None):
            return PlainTextResponse("This is for Ebbtide's own pages.", 403)
        code = await read_small_body(request)
        if not code:
            return PlainTextResponse("There is no code.", 422)
        try:
            api = Client(self._settings.api_url)
            token = (await run_in_threadpool(api.sign_in_phone, code))["token"]
        except ApiError as error:
            return PlainTextResponse(str(error), error.status or 503)
        origin = request.headers["origin"]
        response = Response(status_code=204)
        set_cookie(response, Cookie(session_cookie(origin), token, _OWN_S), origin)
        return response
