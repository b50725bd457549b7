"""``ebbtide questionnaires check``."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from tests.support.command_line import run_ebbtide, run_ebbtide_json


def test_check_says_what_is_in_a_file_and_names_the_broken_item(tmp_path: Path) -> None:
    text = (files("ebbtide.questionnaires") / "files" / "gad7.toml").read_text(encoding="utf-8")
    good, broken = tmp_path / "good.toml", tmp_path / "broken.toml"
    good.write_text(text, encoding="utf-8")
    broken.write_text(text.replace('text.en = "Trouble relaxing"', ""), encoding="utf-8")
    (row,) = run_ebbtide_json("questionnaires", "check", str(good))
    assert (row["id"], row["items"], row["scores"]) == ("gad7", 7, ["total"])
    refused = run_ebbtide("questionnaires", "check", str(broken))
    assert refused.returncode == 1
    assert "item '4', text: Field required" in " ".join(refused.stderr.split())
    shipped = run_ebbtide("questionnaires", "check").stdout
    assert "No permission required" in shipped
