"""In which folder the command is one."""

from pathlib import Path

from ebbtide._program import is_in_project_folder


def test_the_environment_of_a_project_is_known(tmp_path: Path) -> None:
    assert not is_in_project_folder(str(tmp_path / ".venv"))
    (tmp_path / "pyproject.toml").touch()
    assert is_in_project_folder(str(tmp_path / ".venv"))
    assert not is_in_project_folder(str(tmp_path / "tools" / "ebbtide"))
