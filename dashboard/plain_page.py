"""Pages without Streamlit: the program has ended, or a phone is not signed in yet."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from html import escape
from pathlib import Path

from starlette.background import BackgroundTask
from starlette.responses import HTMLResponse

# Within the page: where it says that the program has ended, nothing more can be fetched.
_STYLE = (Path(__file__).with_name("static") / "plain.css").read_text()


def plain_page(
    title: str,
    paragraphs: Sequence[str],
    *,
    body: str = "",
    script: str = "",
    language: str = "en",
    then: BackgroundTask | None = None,
) -> HTMLResponse:
    """Return a page of these paragraphs, in which ``code`` between backquotes. ``body`` and
    ``script`` are ours and go in as they are; no other script runs there. ``language``: theirs.
    """
    style_hash, script_hash = _hash(_STYLE), _hash(script)
    texts = "".join(f"<p>{_with_code(words)}</p>" for words in paragraphs)
    html = (
        f'<!doctype html><html lang="{escape(language)}"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><main><h1>{escape(title)}</h1>{texts}{body}</main>"
        f"{f'<script>{script}</script>' if script else ''}</body></html>"
    )
    scripts = f"'{script_hash}'" if script else "'none'"
    policy = (
        f"default-src 'none'; style-src '{style_hash}'; script-src {scripts}; "
        "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
    return HTMLResponse(html, headers=headers, background=then)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _with_code(words: str) -> str:
    parts = escape(words).split("`")
    return "".join(f"<code>{part}</code>" if k % 2 else part for k, part in enumerate(parts))
