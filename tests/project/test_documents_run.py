"""README and docs, as their readers type them: each block runs, in its order, or says why not."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from cli.main import COMMANDS, app
from store import Stores
from tests.conftest import skip_or_fail
from tests.support.clinic import Clinic, fill, opened_clinic
from tests.support.cohort_clinic import RELEASED_WEEKS, agree_together
from tests.support.documents import (
    ROOT,
    Block,
    blocks_of,
    documents,
    run_script,
    write_script,
)
from tests.support.ports import free_port

BLOCKS = [block for document in documents() for block in blocks_of(document)]
RUN = [block for block in BLOCKS if block.reason is None]
# These speak to a clinic's service that runs already; the others begin with nothing.
IN_A_CLINIC = {
    "docs/guides/analyst.md",
    "docs/guides/fhir.md",
    "docs/reference/http-api.md",
}
MIN_BLOCKS_RUN = 18
PROGRAM = typer.main.get_command(app)


def name_of(document: Path) -> str:
    return document.relative_to(ROOT).as_posix()


def test_most_blocks_run_and_each_other_says_why() -> None:
    assert len(RUN) >= MIN_BLOCKS_RUN
    for block in BLOCKS:
        assert block.reason is None or len(block.reason.split()) >= 4, block.place
    assert len(RUN) > len(BLOCKS) - len(RUN)


def test_a_command_that_goes_on_is_the_last_of_its_block() -> None:
    """What stands below it would never be typed."""
    for block in BLOCKS:
        if block.language == "python":
            continue
        commands = [line for line in block.text.splitlines() if line.split("#")[0].strip()]
        going_on = [line for line in commands if Block(*fields_of(block, line)).foreground]
        assert len(going_on) <= 1, block.place
        assert not going_on or commands[-1] == going_on[0], block.place


def fields_of(block: Block, text: str) -> tuple[Path, int, str, str, str | None]:
    return block.document, block.line, block.language, text, block.reason


@pytest.mark.parametrize(
    "name", [name for name in map(name_of, documents()) if name != "CHANGELOG.md"]
)
def test_documents_name_commands_and_options_that_exist(name: str) -> None:
    text = (ROOT / name).read_text()
    code = [found[1] for found in re.finditer(r"^ *```\w*\n(.*?)^ *```", text, re.M | re.S)]
    code += re.findall(
        r"`([^`\n]+(?:\n[^`\n]+)?)`", re.sub(r"^ *```.*?^ *```", "", text, flags=re.M | re.S)
    )
    for line in (line for part in code for line in part.replace("\\\n", " ").splitlines()):
        for found in re.finditer(r"(?<![\w./-])ebbtide ((?:[a-z-]+ ?)?[^#|;&`]*)", line):
            words = found[1].split()
            if not words or not re.fullmatch(r"[a-z][a-z-]*", words[0]):
                continue
            command = " ".join(words[:2]) if " ".join(words[:2]) in COMMANDS else words[0]
            assert command in {*COMMANDS, "store"}, f"{name}: {line}"
            options = {option.split("=")[0] for option in words if option.startswith("--")}
            assert options <= options_of(command), f"{name}: {line}"


def options_of(command: str) -> set[str]:
    found = PROGRAM
    for word in command.split():
        found = found.commands[word]  # type: ignore[attr-defined]
    own = {name for option in found.params for name in (*option.opts, *option.secondary_opts)}
    return own | {"--help", "--version"}


@pytest.fixture
def clinic(stores: Stores) -> Iterator[Clinic]:
    """With a patient, an analyst, and a cohort whose data are released."""
    with opened_clinic(stores) as opened:
        agree_together(opened, "ada", "eve")
        for seed, name in enumerate(("ada", "eve", "other0", "other1", "other2")):
            fill(stores, opened.people[name], days=1, seed=seed, weeks_ago=RELEASED_WEEKS)
        yield opened


def run_as_reader(blocks: list[Block], folder: Path, port: int) -> None:
    for program in ("bash", "curl"):
        if shutil.which(program) is None:
            skip_or_fail(f"no {program} here")
    done = run_script(write_script(blocks, folder, port), folder, port)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    reached = re.findall(r"^== (.*)$", done.stderr, re.MULTILINE)
    assert reached == [*(block.place for block in blocks), "end"]


def test_somebody_at_home_reads_one_document_after_the_other(tmp_path: Path) -> None:
    """From an empty home: README comes first, whose account and store the others go on with."""
    names = sorted({name_of(block.document) for block in RUN} - IN_A_CLINIC)
    assert names[0] == "README.md"
    blocks = [block for name in names for block in RUN if name_of(block.document) == name]
    run_as_reader(blocks, tmp_path, free_port())


def test_readers_in_a_clinic(tmp_path: Path, clinic: Clinic) -> None:
    blocks = [block for block in RUN if name_of(block.document) in IN_A_CLINIC]
    run_as_reader(blocks, tmp_path, int(clinic.url.rpartition(":")[2]))
