"""Problems are said in the language that a request asks for; English is the contract."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from api.http.problem_texts import PROBLEMS, requests, translate_problem
from api.services.consent import KeepingState, describe_refusal
from tests.conftest import ROOT

# Of exchange formats: their reader is a program.
FOR_PROGRAMS = ("api/export/fhir/", "api/http/fhir.py", "api/routes/export/fhir")
# Met by who runs the service, on its own terminal.
AT_A_TERMINAL = (
    *("api/middleware/tracing.py", "api/services/mail.py", "api/services/erasure.py"),
    *("api/services/questionnaires.py", "api/services/withdrawal.py"),
)
# What these errors of the store say is answered by the API (``STATUS_OF`` in problems.py).
OF_THE_STORE = ("store/sql/keeping.py", "store/sql/programme.py", "store/sql/records.py")
NAMED = re.compile(r"Error$|^problem_response$")
NOT_FOR_PEOPLE = re.compile(r"^(Value|Type|Runtime|Attribute|Key|OS|Conflict|Draw)Error$")


def _text_of(node: ast.expr, names: dict[str, str]) -> str | None:
    """Return a text with ``{}`` for what is put in; None for what is no text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"\{\w+\}", "{}", node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
        )
    return names.get(node.id) if isinstance(node, ast.Name) else None


def _problems(path: Path) -> set[str]:
    """Return the texts of a file's problems: of an error with a remedy, both together."""
    tree = ast.parse(path.read_text("utf-8"))
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            text = _text_of(node.value, {})
            if text is not None:
                names[node.targets[0].id] = text
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if not NAMED.search(name) or NOT_FOR_PEOPLE.match(name):
            continue
        texts = [text for a in node.args[:2] if (text := _text_of(a, names))]
        if texts and re.search("[A-Za-z]{2} ", texts[0]):
            found.add(" ".join(texts))
    return found


def _normal(text: str) -> str:
    return re.sub(r"\{\w*\}", "{}", text)


def _is_listed(text: str) -> bool:
    known = {_normal(problem) for problem in PROBLEMS}
    if text in known or text.removeprefix("{}: ") in known:
        return True
    # A field that is put in may be words that are listed by themselves.
    sample = text.replace("{}", "7")
    return translate_problem(sample, "de") != sample


def test_every_problem_is_in_the_catalogue() -> None:
    found: dict[str, str] = {}
    paths = [*sorted((ROOT / "api").rglob("*.py")), *(ROOT / path for path in OF_THE_STORE)]
    for path in paths:
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith((*FOR_PROGRAMS, *AT_A_TERMINAL)):
            found |= dict.fromkeys(_problems(path), name)
    assert len(found) > 120
    missing = {text: name for text, name in found.items() if not _is_listed(text)}
    assert missing == {}, "list these in api/http/problem_texts"


def test_no_problem_is_listed_that_nothing_says() -> None:
    said = "".join(describe_refusal(s, is_own=own) for s in KeepingState for own in (True, False))
    for folder in ("api", "store", "ebbtide"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "problem_texts" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    said += node.value + "\n"
    framework = {*requests.TITLES.values(), *requests.FIELDS}
    for problem in set(PROBLEMS) - framework:
        for part in re.split(r"\{\w+\}|(?<=\.) ", problem):
            words = part.strip(" .(),")
            assert words in said, problem


@pytest.mark.parametrize(
    ("header", "language"),
    [
        *(("de-AT,de;q=0.9,en;q=0.8", "de"), ("DE", "de"), ("en;q=0.4, de;q=0.7", "de")),
        *(("en-GB,de;q=0.5", "en"), ("fr, it", "en"), ("", "en"), ("*", "en")),
        *(("de;q=0", "en"), ("de;q=much", "en"), (";;,,=", "en"), ("x" * 9000, "en")),
    ],
)
def test_a_problem_follows_accept_language(
    signed_in: Callable[..., httpx.Client], header: str, language: str
) -> None:
    anonymous = signed_in()
    del anonymous.headers["Authorization"]
    body = {"email": "nobody@example.org", "password": "not this one at all"}
    answer = anonymous.post("/v1/sign-in", json=body, headers={"Accept-Language": header})
    problem = answer.json()
    assert answer.status_code == 401
    assert answer.headers["Content-Language"] == language
    assert "Accept-Language" in answer.headers["Vary"]
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem["type"] == "urn:ebbtide:problem:wrong-password"
    assert (problem["title"], problem["detail"]) == {
        "en": ("Unauthorized", "The address or the password is not right."),
        "de": ("Nicht angemeldet", "Die Adresse oder das Passwort stimmt nicht."),
    }[language]


def test_fields_are_said_in_german_too(signed_in: Callable[..., httpx.Client]) -> None:
    anonymous = signed_in()
    german = {"Accept-Language": "de-DE"}
    answer = anonymous.post("/v1/sign-in", json={"email": 3}, headers=german)
    problem = answer.json()
    assert answer.status_code == 422
    assert problem["detail"] == "body.email: Das soll Text sein; body.password: Das fehlt"
    assert [field["problem"] for field in problem["errors"]] == ["Das soll Text sein", "Das fehlt"]
    # One that a middleware answers, before any route.
    answer = anonymous.post("/v1/sign-in", content=b"a=b", headers=german)
    assert answer.json()["detail"].endswith("Senden Sie application/json.")


def test_a_sentence_that_nobody_listed_stays_as_it_is() -> None:
    assert translate_problem("body.x: Nobody has said this before.", "de") == (
        "body.x: Nobody has said this before."
    )
    assert translate_problem("is empty.", "fr") == "is empty."
