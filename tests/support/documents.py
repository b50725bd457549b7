"""The fenced blocks of the documents, and a shell that runs them as one reader does."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.accounts import PASSWORD

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = {"sh", "bash", "shell", "console", "python"}
# Commands that go on until they are ended, and what they print once they are there.
LONG_RUNNING = {
    "start": "^Open ",
    "demo": "Ctrl-C ends it",
    "serve": "running on",
    "dashboard": "Ctrl-C ends",
}
_FENCE = re.compile(r"^ *```(\w*)[^\n]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_MARK = re.compile(r"<!-- not run: (.*?) -->\n*\Z", re.DOTALL)
_WHOLE = re.compile(r"<!-- no block of this page is run: (.*?) -->", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block. ``reason``: why it is not run here, where it is marked."""

    document: Path
    line: int
    language: str
    text: str
    reason: str | None

    @property
    def place(self) -> str:
        """Where it stands, as editors take it."""
        return f"{self.document.relative_to(ROOT)}:{self.line}"

    @property
    def foreground(self) -> list[str]:
        """The commands of it that go on until they are ended."""
        return [
            found[1]
            for found in re.finditer(r"\bebbtide ([a-z-]+)([^\n#]*)", self.text)
            if found[1] in LONG_RUNNING and "--once" not in found[2]
        ]


def documents() -> list[Path]:
    """Every Markdown file that people read, without those of tools and tests."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def blocks_of(document: Path) -> Iterator[Block]:
    """Yield the blocks of a document, of the languages that can be run."""
    text = document.read_text(encoding="utf-8")
    whole = _WHOLE.search(text)
    for found in _FENCE.finditer(text):
        if found[1] in LANGUAGES:
            mark = _MARK.search(text, 0, found.start()) or whole
            line = text.count("\n", 0, found.start()) + 1
            yield Block(document, line, found[1], found[2], mark[1].strip() if mark else None)


_SHIMS = {
    # What a newcomer's machine would install first; the tests have it.
    "pip": '[ "$*" = "install uv" ] || { echo "pip $*: not in a test" >&2; exit 1; }',
    "uv": '[ "$1 $2" = "run ebbtide" ] || { echo "uv $*: not in a test" >&2; exit 1; }\n'
    'shift 2; exec ebbtide "$@"',
    # Who has the sample files from another document does not write them again.
    "ebbtide": 'if [ "$*" = sample ] && [ -d sample ]; then exit 0; fi\n'
    'exec "$PYTHON" -m ebbtide "$@"',
    "python": 'exec "$PYTHON" "$@"',
    "python3": 'exec "$PYTHON" "$@"',
}
_HEAD = """set -euo pipefail
set -m  # a group of processes for each that goes on, which can be interrupted
running=()
end_all() {
  for process in ${running[@]+"${running[@]}"}; do
    kill -INT -- "-$process" 2>/dev/null || true
    wait "$process" || true
  done
  running=()
}
answer_first_run() {
  "$PYTHON" -m tests.support.documents "$1"
}
trap end_all EXIT
wait_until_ready() {  # process, log, what it prints
  for _ in $(seq 900); do
    grep -q "$3" "$2" && return
    kill -0 "$1" 2>/dev/null || break
    sleep 0.1
  done
  cat "$2" >&2
  echo "it did not become ready" >&2
  return 1
}
"""


def write_script(blocks: list[Block], folder: Path, port: int) -> Path:
    """Write a shell script that runs these blocks one after the other, in one shell."""
    lines = [_HEAD]
    for number, block in enumerate(blocks):
        text = block.text.replace("8420", str(port))
        suffix = "py" if block.language == "python" else "sh"
        file = folder / f"block-{number}.{suffix}"
        file.write_text(text, encoding="utf-8")
        lines.append(f"echo {shlex.quote(f'== {block.place}')} >&2")
        name, log = shlex.quote(str(file)), shlex.quote(f"{file}.log")
        if suffix == "py":
            lines.append(f'"$PYTHON" {name} < "$ANSWERS"')
        elif block.foreground:
            ready = shlex.quote(LONG_RUNNING[block.foreground[-1]])
            lines += [
                f"( . {name} ) < /dev/null > {log} 2>&1 &",
                'running+=("$!")',
                f'wait_until_ready "$!" {log} {ready}',
                # The demonstration would work on; its reader has seen it.
                "end_all" if block.foreground[-1] == "demo" else f"answer_first_run {log}",
            ]
        else:
            lines.append(f'. {name} < "$ANSWERS"')
    script = folder / "document.sh"
    script.write_text("\n".join([*lines, "echo '== end' >&2", ""]), encoding="utf-8")
    return script


def run_script(script: Path, folder: Path, port: int) -> subprocess.CompletedProcess[str]:
    """Run it as somebody new: an empty home and folder, no terminal, each question answered with
    the password.
    """
    shims = folder / "bin"
    home, here = folder / "home", folder / "here"
    for one in (shims, home, here):
        one.mkdir()
    for name, words in _SHIMS.items():
        shim = shims / name
        shim.write_text(f"#!/usr/bin/env bash\n{words}\n", encoding="utf-8")
        shim.chmod(0o755)
    answers = folder / "answers"
    answers.write_text(f"{PASSWORD}\n" * 8, encoding="utf-8")
    taken = {"DISPLAY", "WAYLAND_DISPLAY", "XDG_DATA_HOME", "VIRTUAL_ENV"}
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in taken and not name.startswith("EBBTIDE_")
    }
    environment |= {
        "PATH": f"{shims}:{os.environ['PATH']}",
        "PYTHON": sys.executable,
        "PYTHONPATH": str(ROOT),
        "ANSWERS": str(answers),
        "HOME": str(home),
        "EBBTIDE_API_PORT": str(port),
        "EBBTIDE_API_URL": f"http://127.0.0.1:{port}",
    }
    return subprocess.run(
        ["bash", str(script)],
        cwd=here,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
        start_new_session=True,  # without a terminal, passwords are read from standard input
    )


def _answer_first_run(log: Path) -> None:
    """Answer the questions of the first page that ``ebbtide start`` opened, as the browser does."""
    import httpx

    found = re.search(r"^Open  (http://[^/]+)(/start\?first=\S+)", log.read_text(), re.MULTILINE)
    if found is None:
        return
    with httpx.Client(base_url=found[1], timeout=60) as browser:
        assert browser.get(found[2]).status_code == 303
        (cookie,) = browser.cookies.jar
        ada = {"name": "Ada", "zone": "Europe/Berlin"}
        ada |= {"email": "ada@example.org", "password": PASSWORD, "secret": str(cookie.value)}
        answer = browser.post("/v1/first-run", json=ada)
        assert answer.status_code == 201, answer.text
        token = {"Authorization": f"Bearer {answer.json()['token']}"}
        yes = {"purpose": "keeping", "given": True, "wording": "the documents"}
        assert browser.post("/v1/consents", json=yes, headers=token).status_code == 201


if __name__ == "__main__":
    _answer_first_run(Path(sys.argv[1]))
