"""A third language is added by the steps of CONTRIBUTING.md: done here with an invented one."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
import typer
from babel.messages.pofile import read_po, write_po

from api.http.problem_texts import translate_problem, translate_title
from api.services.reminders.ways import NEUTRAL_TEXT
from cli.language import help_texts, terminal_language, translate_command
from cli.main import app
from dashboard.i18n import formatting, language
from dashboard.i18n.api_texts import say
from ebbtide import i18n
from phone.files import STATIC
from tests.conftest import ROOT, skip_or_fail

GUIDE = (ROOT / "CONTRIBUTING.md").read_text("utf-8").split("## Languages", 1)[1].split("\n## ")[0]


def _invent(text: str) -> str:
    """Write a text in the invented language: fields, bold and code stay, and so do the ends."""
    parts = re.split(r"(\{[^}]*\}|`[^`]*`)", text)
    return "".join(p if k % 2 else re.sub(r"[A-Za-z]", "ø", p) for k, p in enumerate(parts))


@pytest.fixture
def invented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The project's folders of texts, elsewhere, with the first step of the guide done."""
    shutil.copytree(i18n.LOCALE_FOLDER, tmp_path / "ebbtide" / "i18n" / "locale")
    shutil.copytree(STATIC, tmp_path / "phone" / "static")
    block = GUIDE.split("```sh\n", 1)[1].split("```", 1)[0]
    make, copy = (shlex.split(line) for line in block.strip().splitlines())
    assert make[:3] == ["uv", "run", "pybabel"] and copy[0] == "cp"
    command = [sys.executable, "-m", "babel.messages.frontend", *make[3:]]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=120)
    subprocess.run(copy, cwd=tmp_path, check=True, timeout=60)
    path = tmp_path / "ebbtide/i18n/locale/fr/LC_MESSAGES/ebbtide.po"
    with path.open("rb") as file:
        catalogue = read_po(file)
    for message in catalogue:
        if message.id:
            # Of a text with a number, both forms.
            message.string = (
                tuple(map(_invent, message.id))
                if isinstance(message.id, (tuple, list))
                else _invent(str(message.id))
            )
    with path.open("wb") as file:
        write_po(file, catalogue)
    monkeypatch.setattr(i18n, "LOCALE_FOLDER", tmp_path / "ebbtide" / "i18n" / "locale")
    cached = (
        *(i18n.languages, i18n.choose_language, i18n.load_catalogue),
        language._match_locale,
    )
    for function in cached:
        function.cache_clear()
    yield tmp_path
    for function in cached:
        function.cache_clear()


def test_one_file_gives_pages_problems_mail_and_help(
    invented: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert i18n.languages() == ("en", "de", "fr")
    reader = language._match_locale("fr-CH")
    monkeypatch.setattr(language, "reader_locale", lambda: reader)
    assert language._("How is it right now?") == "øøø øø øø øøøøø øøø?"
    assert say("no rating for 9 days") == "øø øøøøøø øøø 9 øøøø"
    moment = datetime.fromisoformat("2026-11-24T14:30:00+01:00")
    assert formatting.format_long_day(moment) == "24 novembre 2026"
    assert formatting.format_signed(1.5) == "+1,5"
    chosen = i18n.choose_language("fr-CH, en;q=0.5")
    assert chosen == "fr"
    assert translate_problem("body.pain: Field required", chosen) == "body.pain: øøøøø øøøøøøøø"
    assert translate_title(404, "Not Found", chosen) == "øøø øøøøø"
    assert i18n.translator(chosen)(NEUTRAL_TEXT) == "ø øøøøøø øøø øøøøøøøø?"
    command = typer.main.get_command(app)
    english = help_texts(command)
    translate_command(command, i18n.translator(terminal_language({"LANG": "fr_FR.UTF-8"})))
    assert not english & help_texts(command)


def test_the_app_has_one_file_and_three_lines(invented: Path) -> None:
    node = shutil.which("node")
    if node is None:
        skip_or_fail("no node on this machine (Debian: apt install nodejs)")
    static = invented / "phone" / "static"
    path = static / "js" / "locale" / "fr.js"
    path.write_text(path.read_text().replace("Speichern", "Øøø"), "utf-8")
    step = re.sub(r"\s+", " ", GUIDE.split("\n2. ", 1)[1].split("\n3. ", 1)[0])
    lines = re.findall("`([^`]+)`", step)
    (imported, named, preloaded) = (line for line in lines if "fr" in line and "." not in line[:3])
    script = static / "js" / "i18n.js"
    text = script.read_text("utf-8")
    text = text.replace("\n\n", f"\n\n{imported}\n", 1).replace(
        "  de: german,", f"  {named}\n  de: german,"
    )
    script.write_text(text, "utf-8")
    assert preloaded == '<link rel="modulepreload" href="js/locale/fr.js">'
    code = (
        'Object.defineProperty(globalThis, "navigator", {value: {languages: ["fr-CH", "en"]}});'
        f"const i18n = await import({json.dumps(script.as_uri())});"
        'const said = [i18n.LANGUAGE, i18n.t("rate.save"), i18n.formatNumber(1.5, 1)];'
        "console.log(JSON.stringify(said));"
    )
    done = subprocess.run(
        [node, "--input-type=module", "-e", code], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["fr", "Øøø", "1,5"]
