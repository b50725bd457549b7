"""The page that leads a phone through trusting this computer (``ebbtide start --https``). It comes
without encryption, since the phone does not trust the computer yet: it has no secret, takes none,
and says with what to compare.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dashboard.i18n import trust_texts
from dashboard.i18n.language import language_for, translate_for
from dashboard.plain_page import plain_page

TRUST = "/trust"
CERTIFICATE = f"{TRUST}/ebbtide-at-home.crt"

_Translate = Callable[[str], str]


def trust_routes(
    fingerprint: Callable[[], str | None],
    certificate: Callable[[], bytes],
    app_url: Callable[[], str | None],
) -> list[Route]:
    """Make the routes of the page and of the certificate; 404 while phones do not come in with
    encryption.
    """

    async def show(request: Request) -> Response:
        printed, url = fingerprint(), app_url()
        if printed is None or url is None:
            return PlainTextResponse("Phones come in without encryption here, or not at all.", 404)
        tag = request.headers.get("Accept-Language", "").split(",")[0].split(";")[0].strip()
        translate = translate_for(tag)
        return plain_page(
            translate(trust_texts.TITLE),
            [translate(words) for words in trust_texts.INTRODUCTION],
            body=_body(printed, url, translate),
            language=language_for(tag),
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


def _body(fingerprint: str, url: str, translate: _Translate) -> str:
    def words(text: str) -> str:
        return _with_bold(translate(text))

    compare = "".join(f"<p>{words(text)}</p>" for text in trust_texts.COMPARE_WORDS)
    return (
        f'<p><a class="button" href="{CERTIFICATE}">{words(trust_texts.GET)}</a></p>'
        f"<h2>{words(trust_texts.ANDROID)}</h2>{_steps(trust_texts.ANDROID_STEPS, translate)}"
        f"<h2>{words(trust_texts.IPHONE)}</h2>{_steps(trust_texts.IPHONE_STEPS, translate)}"
        f"<h2>{words(trust_texts.COMPARE)}</h2>{compare}"
        f"<p><code>{escape(_grouped(fingerprint))}</code></p>"
        f'<p><a class="button" href="{escape(url)}">{words(trust_texts.DONE)}</a></p>'
        f"<p>{words(trust_texts.TAKE_BACK)}</p>"
    )


def _steps(steps: Sequence[tuple[str, str, str]], translate: _Translate) -> str:
    return (
        "<ol>"
        + "".join(
            f"<li>{_with_bold(translate(text))}{_draw(translate(title), translate(choice))}</li>"
            for text, title, choice in steps
        )
        + "</ol>"
    )


def _with_bold(text: str) -> str:
    parts = escape(text).split("**")
    return "".join(f"<b>{part}</b>" if k % 2 else part for k, part in enumerate(parts))


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
