"""The command line in the language of the terminal; English where there is none."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import typer

from cli.help_texts import HELP, PARSER
from cli.language import help_texts, terminal_language
from cli.main import COMMANDS, app
from ebbtide.i18n import translator


def test_every_help_is_in_the_catalogue() -> None:
    said = help_texts(typer.main.get_command(app))
    assert len(said) > 100
    assert said - set(HELP) == set(), "list these in cli/help_texts.py"
    assert set(HELP) - said == set(), "no longer said"
    german = translator("de")
    same = {words for words in (*HELP, *PARSER) if german(words) == words}
    assert all(words.startswith("patient, therapist") for words in same)


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "de"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
        ({"LANG": "de_DE", "LC_MESSAGES": "en_GB"}, "en"),
        ({"LANG": "en_GB", "LC_ALL": "de_CH.utf8", "LC_MESSAGES": ""}, "de"),
        ({"LANG": "de_DE", "EBBTIDE_LANGUAGE": "en"}, "en"),
        ({"LC_ALL": "C", "EBBTIDE_LANGUAGE": "de"}, "de"),
    ],
)
def test_the_terminal_says_the_language(environment: dict[str, str], language: str) -> None:
    assert terminal_language(environment) == language


def _run(language: str, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "EBBTIDE_LANGUAGE": language, "COLUMNS": "200"}
    command = [sys.executable, "-m", "ebbtide", *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)


def test_help_is_german_and_names_stay() -> None:
    german, english = _run("de", "--help").stdout, _run("en", "--help").stdout
    for words in ("Aufruf: ebbtide", "Optionen:", "Befehle:", "Diese Hilfe zeigen."):
        assert words in german and words not in english
    for words in ("Usage:", "Options:", "Commands:", "Show this message"):
        assert words in english and words not in german
    assert all(f"\n  {name.split()[0]} " in german for name in COMMANDS)
    group = _run("de", "store", "check", "-h").stdout
    assert "Prüfen, dass alles lesbar ist" in group and "Usage" not in group
    wrong = _run("de", "no-such-command")
    assert wrong.returncode == 2 and "Den Befehl 'no-such-command' gibt es nicht." in wrong.stderr


def test_english_reads_no_catalogue() -> None:
    code = (
        "import sys; sys.argv = ['ebbtide', '--version']\n"
        "from cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('babel' in sys.modules)"
    )
    for language, is_loaded in (("en", "False"), ("de", "True")):
        environment = {**os.environ, "EBBTIDE_LANGUAGE": language}
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            env=environment,
            timeout=60,
        )
        assert done.stdout.split()[-1] == is_loaded, done.stderr
