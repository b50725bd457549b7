"""Rules of the app's files: types, texts, size, nothing inline, nothing of third parties."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from phone.files import STATIC, load_files
from tests.conftest import ROOT, skip_or_fail

PHONE = STATIC.parent
# A range, as for other tools: 5.6 is the first whose Uint8Array names its buffer.
TYPESCRIPT = "typescript@>=5.7 <8"
MAX_BYTES = 150_000
SOURCES = sorted((STATIC / "js").rglob("*.js"))


@pytest.fixture(scope="module")
def tsc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiler of TypeScript, which checks the types in comments."""
    npm = shutil.which("npm")
    if npm is None:
        skip_or_fail("no npm on this machine (Debian: apt install npm)")
    folder = tmp_path_factory.mktemp("typescript")
    installed = subprocess.run(
        [
            npm,
            "install",
            "--silent",
            "--no-audit",
            "--no-fund",
            "--prefix",
            str(folder),
            TYPESCRIPT,
        ],
        capture_output=True,
        text=True,
        timeout=300,
    )
    if installed.returncode != 0:
        skip_or_fail(f"npm could not install TypeScript: {installed.stderr[-300:]}")
    return folder / "node_modules" / ".bin" / "tsc"


@pytest.mark.parametrize("project", ["tsconfig.json", "tsconfig.worker.json"])
def test_the_types_in_the_comments_hold(tsc: Path, project: str) -> None:
    checked = subprocess.run(
        [str(tsc), "-p", str(PHONE / project)], capture_output=True, text=True, timeout=300
    )
    assert checked.stdout == "" and checked.returncode == 0


def test_every_text_is_there_in_every_language_and_every_text_is_used() -> None:
    locales: dict[str, dict[str, str]] = {}
    for path in sorted((STATIC / "js" / "locale").glob("*.js")):
        *_, language = path.stem.split(".")
        keys = _texts(path)
        assert keys, path
        locales.setdefault(language, {}).update(keys)
    english = locales["en"]
    for language, texts in locales.items():
        assert set(texts) == set(english), language
        for key, text in texts.items():
            assert _places(text) == _places(english[key]), f"{language}: {key}"
    code = "\n".join(path.read_text() for path in SOURCES if "locale" not in path.parts)
    asked = set(re.findall(r"""\b(?:t|list)\(\s*"([\w.]+)\"""", code))
    assert asked and asked <= set(english)
    for key in re.findall(r"""(?<!\.)\bcount\(\s*"([\w.]+)\"""", code):
        assert {f"{key}.one", f"{key}.other"} <= set(english), key
    quoted = set(re.findall(r'"([\w.]+)"', code))
    built = re.findall(r"t\(\s*`([\w.]+)\$\{", code)  # `nav.${name}`
    unused = set()
    for key in english:
        stem = re.sub(r"\.(one|other)$", "", key)
        is_used = stem in quoted or key in quoted or any(key.startswith(word) for word in built)
        if not is_used:
            unused.add(key)
    assert unused == set()


def test_all_files_together_are_small() -> None:
    files = load_files().files.values()
    total = sum(len(gzip.compress(file.content)) for file in files)
    assert len(files) > 30
    assert total < MAX_BYTES, total


def test_nothing_is_inline_parsed_from_text_or_of_a_third_party() -> None:
    page = (STATIC / "index.html").read_text()
    assert not re.search(r"<style|\bstyle=|\bon\w+=|javascript:", page)
    assert re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL) == [""]
    banned = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|"
        r"setAttribute\(\"style\"|importScripts|\bimport\("
    )
    for path in [*SOURCES, STATIC / "service-worker.js"]:
        code = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)  # types are in comments
        assert not banned.search(code), path
    for path in sorted(STATIC.rglob("*")):
        if path.suffix in {".js", ".css", ".html", ".webmanifest", ".svg"}:
            addresses = set(re.findall(r"(?:https?:)?//[\w.-]+\.[a-z]{2,}", path.read_text()))
            assert addresses <= {"http://www.w3.org"}, path  # the name of SVG


def test_every_import_and_every_file_that_is_named_exists() -> None:
    for path in SOURCES:
        for name in re.findall(r"""(?:from|import\()\s*"(\.[^"]+)\"""", path.read_text()):
            assert (path.parent / name).resolve().is_file(), f"{path}: {name}"
    page = (STATIC / "index.html").read_text()
    manifest = json.loads((STATIC / "manifest.webmanifest").read_text())
    named = re.findall(r'(?:href|src)="([^"]+)"', page) + [x["src"] for x in manifest["icons"]]
    for name in named:
        assert (STATIC / name).is_file(), name
    # All modules are asked for at once, not one after another as each names the next.
    modules = {path.relative_to(STATIC).as_posix() for path in SOURCES}
    preloaded = set(re.findall(r'rel="modulepreload" href="([^"]+)"', page))
    # The page for the answer to a mail has a module of its own.
    assert preloaded | {"js/main.js", "js/answer_page.js"} == modules
    assert (manifest["start_url"], manifest["scope"]) == ("/app/", "/app/")


def test_the_words_of_the_practices_are_those_of_the_pages() -> None:
    from dashboard.i18n import texts
    from dashboard.i18n.language import translate_for

    names = ("My link", "My trend", "My course")  # as a link says them
    for language in ("en", "de"):
        said = (STATIC / "js" / "locale" / f"{language}.js").read_text()
        translate = translate_for(language)
        sentences = [texts.TRACKING_CAUTION, texts.BREATHING_CAUTION, *names]
        sentences.append(texts.SAVOURING_CAUTION)
        for title, _length, words in (*texts.TRACKING, *texts.SAVOURING):
            sentences += [title, *words]
        for sentence in sentences:
            assert f'"{translate(sentence)}"' in said, sentence


def test_a_notification_says_what_was_pushed() -> None:
    """The server pushes every word in the person's language: a new language is not missing here."""
    worker = (STATIC / "service-worker.js").read_text()
    for name in ("pushed.title", "pushed.text", "pushed.later", "pushed.letGo"):
        assert name in worker, name
    for path in ("api/services/reminders/push.py", "api/services/reminders/ways.py"):
        assert "translator(" in (ROOT / path).read_text()


def test_no_text_claims_a_cause_scolds_or_alarms() -> None:
    english = " ".join(_texts(STATIC / "js" / "locale" / "en.js").values()).lower()
    for word in ("because", "caused", "leads to", "streak", "failed", "alarm", "warning!", "must "):
        assert word not in english, word
    german = " ".join(_texts(STATIC / "js" / "locale" / "de.js").values())
    for word in (r"\bdu\b", r"\bdein", "verursacht", "führt zu", "versagt", "Alarm", "Warnung!"):
        assert not re.search(word, german), word


def _texts(path: Path) -> dict[str, str]:
    """Keys and texts (of lists: all together) of a file of texts."""
    body = path.read_text().split("export default {", 1)[1]
    found = re.findall(
        r'^  "([\w.]+)":\s*(\[.*?\]|"(?:[^"\\]|\\.)*"|\'[^\']*\'),', body, re.DOTALL | re.MULTILINE
    )
    return dict(found)


def _places(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))
