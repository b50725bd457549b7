"""The page that leads a phone through trusting this computer (``ebbtide start --https``). It comes
without encryption, since the phone does not trust the computer yet: it has no secret, takes none,
and says with what to compare.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dashboard.plain_page import plain_page

TRUST = "/trust"
CERTIFICATE = f"{TRUST}/ebbtide-at-home.crt"

_ANDROID = (
    ("Tap the button above. The phone saves a file.", "Download", "ebbtide-at-home.crt"),
    (
        "Open <b>Settings</b>. In its search, enter <b>CA certificate</b>, and open what it finds "
        "(Security, then Encryption and credentials, then Install a certificate).",
        "Settings",
        "CA certificate",
    ),
    (
        "The phone warns: whoever owns such a certificate could read along. This one is good for "
        "computers in your home alone, and its key stays on your computer. Tap <b>Install "
        "anyway</b>, give the phone's PIN, and choose the file.",
        "Your data won't be private",
        "Install anyway",
    ),
)
_IPHONE = (
    (
        "Open this page in <b>Safari</b>, tap the button above, and then <b>Allow</b>.",
        "Safari",
        "Allow",
    ),
    (
        "Open <b>Settings</b>. At the top is <b>Profile Downloaded</b>: tap it, then "
        "<b>Install</b>.",
        "Settings",
        "Profile Downloaded",
    ),
    (
        "In Settings go to <b>General</b>, <b>About</b>, at the very bottom <b>Certificate Trust "
        "Settings</b>, and switch on <b>Ebbtide at home</b>.",
        "Certificate Trust Settings",
        "Ebbtide at home  ◉",
    ),
)


def trust_routes(
    fingerprint: Callable[[], str | None],
    certificate: Callable[[], bytes],
    app_url: Callable[[], str | None],
) -> list[Route]:
    """Make the routes of the page and of the certificate; 404 while phones do not come in with
    encryption.
    """

    async def show(_request: Request) -> Response:
        printed, url = fingerprint(), app_url()
        if printed is None or url is None:
            return PlainTextResponse("Phones come in without encryption here, or not at all.", 404)
        return plain_page(
            "Let this phone trust your computer",
            [
                "Once, about five minutes. After that this phone and your computer talk with "
                "encryption, and the app can record.",
                "If your clinic has an Ebbtide, that is less trouble: there is nothing to install.",
            ],
            body=_body(printed, url),
        )

    async def give(_request: Request) -> Response:
        if fingerprint() is None:
            return PlainTextResponse("There is no certificate here.", 404)
        return Response(
            certificate(),
            media_type="application/x-x509-ca-cert",
            headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
        )

    return [Route(TRUST, show, methods=["GET"]), Route(CERTIFICATE, give, methods=["GET"])]


def _body(fingerprint: str, url: str) -> str:
    return (
        f'<p><a class="button" href="{CERTIFICATE}">Get the certificate</a></p>'
        f"<h2>Android</h2>{_steps(_ANDROID)}"
        f"<h2>iPhone</h2>{_steps(_IPHONE)}"
        "<h2>Compare</h2><p>The computer shows these characters on its page <b>This computer</b>. "
        "The phone shows them too, where it lists the certificate (Android: Settings, Trusted "
        "credentials, User; iPhone: the profile, More Details: SHA-256). If they are not the same, "
        "remove the certificate: somebody else answered.</p>"
        f"<p><code>{escape(_grouped(fingerprint))}</code></p>"
        f'<p><a class="button" href="{escape(url)}">Done: open the app</a></p>'
        "<p>To take it back, remove <b>Ebbtide at home</b> in the same place of the settings.</p>"
    )


def _steps(steps: tuple[tuple[str, str, str], ...]) -> str:
    return "<ol>" + "".join(f"<li>{text}{_draw(*words)}</li>" for text, *words in steps) + "</ol>"


def _draw(title: str, choice: str) -> str:
    """Draw the screen of a phone with what is to be tapped; the text beside it says the same."""
    return (
        '<svg viewBox="0 0 200 120" width="200" height="120" aria-hidden="true" fill="none" '
        'stroke="currentColor"><rect x="4" y="4" width="192" height="112" rx="12"/>'
        '<line x1="4" y1="34" x2="196" y2="34"/>'
        f'<text x="14" y="24" font-size="11" fill="currentColor" stroke="none">{escape(title)}'
        '</text><line x1="14" y1="50" x2="150" y2="50" opacity=".4"/>'
        '<rect x="12" y="64" width="176" height="32" rx="8" stroke-width="2.5"/>'
        f'<text x="22" y="84" font-size="11" fill="currentColor" stroke="none">{escape(choice)}'
        "</text></svg>"
    )


def _grouped(fingerprint: str) -> str:
    """Group the pairs by eight, four lines: to be compared by eye."""
    pairs = fingerprint.split(":")
    return " ".join(":".join(pairs[begin : begin + 8]) for begin in range(0, len(pairs), 8))
