"""Read questionnaires: those that come with Ebbtide, and those of a clinic's own folder."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ebbtide.errors import EbbtideError
from ebbtide.questionnaires.definition import Questionnaire

_MAX_BYTES = 1_000_000
_REMEDY = "docs/guides/questionnaires.md describes the file; ebbtide questionnaires check reads it."


class QuestionnaireFileError(EbbtideError):
    """A file that is no questionnaire; the sentence names the file and the item."""


class QuestionnaireLibrary:
    """Questionnaires by id and version.

    Of each id the newest version is asked; older ones score the answers that were given to them.

    Parameters
    ----------
    questionnaires : iterable of Questionnaire
        In any order.

    Raises
    ------
    QuestionnaireFileError
        If two have the same id and version.
    """

    def __init__(self, questionnaires: Iterable[Questionnaire]) -> None:
        self._by_version: dict[tuple[str, int], Questionnaire] = {}
        for found in questionnaires:
            key = (found.id, found.version)
            if key in self._by_version:
                raise QuestionnaireFileError(
                    f"Two files are version {found.version} of the questionnaire {found.id!r}.",
                    "Raise the version of the newer one, or give it another id.",
                )
            self._by_version[key] = found

    @property
    def newest(self) -> tuple[Questionnaire, ...]:
        """The newest version of each, by id."""
        by_id = {key[0]: self._by_version[key] for key in sorted(self._by_version)}
        return tuple(by_id.values())

    def find(self, questionnaire_id: str, version: int | None = None) -> Questionnaire | None:
        """Find a version of a questionnaire; the newest if left out."""
        if version is not None:
            return self._by_version.get((questionnaire_id, version))
        return next((found for found in self.newest if found.id == questionnaire_id), None)


def load_library(folder: Path | None = None) -> QuestionnaireLibrary:
    """Load what comes with Ebbtide, and the files ``*.toml`` of a folder.

    Parameters
    ----------
    folder : Path, optional
        Of a clinic's own questionnaires.

    Raises
    ------
    QuestionnaireFileError
        If a file is broken, or the folder is not there.
    """
    place = files("ebbtide.questionnaires") / "files"
    found = [
        parse_questionnaire(item.read_text(encoding="utf-8"), item.name)
        for item in sorted(place.iterdir(), key=lambda item: item.name)
        if item.name.endswith(".toml")
    ]
    if folder is not None:
        if not folder.is_dir():
            raise QuestionnaireFileError(
                f"The folder of questionnaires {folder} is not there.",
                "Make it, or unset EBBTIDE_QUESTIONNAIRES_DIR.",
            )
        found += [read_questionnaire(path) for path in sorted(folder.glob("*.toml"))]
    return QuestionnaireLibrary(found)


def read_questionnaire(path: Path) -> Questionnaire:
    """Read one file. Raises QuestionnaireFileError, which names the item."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
        text = content.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionnaireFileError(f"{path} cannot be read: {error}.", _REMEDY) from error
    if len(content) > _MAX_BYTES:
        raise QuestionnaireFileError(f"{path} is larger than 1 MB.", _REMEDY)
    return parse_questionnaire(text, str(path))


def parse_questionnaire(text: str, name: str) -> Questionnaire:
    """Parse the text of a file called ``name``. Raises QuestionnaireFileError."""
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:  # brackets within brackets
        raise QuestionnaireFileError(f"{name} is no TOML: {error}.", _REMEDY) from error
    try:
        return Questionnaire.model_validate(document)
    except ValidationError as error:
        words = [
            f"{_place(item['loc'], document)}{item['msg'].removeprefix('Value error, ')}"
            for item in error.errors(include_url=False, include_input=False)
        ]
        raise QuestionnaireFileError(f"{name}: {'; '.join(words)}.", _REMEDY) from error


def _place(location: tuple[int | str, ...], document: Any) -> str:
    """Where in a file, with the id of the item in place of its number: "item '9', text: "."""
    words: list[str] = []
    found = document
    for part in location:
        found = _inside(found, part)
        if isinstance(part, int) and words:
            kind = words.pop().removesuffix("s")
            own = None
            if isinstance(found, dict):
                own = found.get("id", found.get("value", found.get("item")))
            words.append(f"{kind} number {part + 1}" if own is None else f"{kind} {own!r}")
        else:
            words.append(str(part))
    return f"{', '.join(words)}: " if words else ""


def _inside(found: Any, part: int | str) -> Any:
    try:
        return found[part]
    except (KeyError, IndexError, TypeError):
        return None
