"""What a questionnaire is: items, answers, scores, licence and source, as read from its file."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Word = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
Loinc = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,7}-[0-9]$")]
LoincAnswer = Annotated[str, StringConstraints(pattern=r"^LA[0-9]{1,7}-[0-9]$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=1000, strip_whitespace=True)]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")]
Texts = dict[Language, Text]
TOTAL = "total"
MAX_ITEMS, MAX_VALUE = 200, 1000


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Option(_Part):
    """One answer: the number that it counts as, and its words."""

    value: int = Field(ge=0, le=MAX_VALUE, strict=True)
    text: Texts
    loinc: LoincAnswer | None = None


class Item(_Part):
    """One question.

    ``options`` replaces those of the questionnaire. ``reverse``: the answer counts as lowest +
    highest - answer.
    """

    id: Word
    text: Texts
    reverse: bool = False
    loinc: Loinc | None = None
    options: tuple[Option, ...] = ()


class Score(_Part):
    """A number made of answers.

    ``items``: all of them if empty. ``max_missing``: how many may be
    left out; the mean of those that were answered stands for them. ``t_scores``: by the sum.
    """

    id: Word
    name: Text
    method: Literal["sum", "mean"] = "sum"
    items: tuple[Word, ...] = ()
    max_missing: int = Field(default=0, ge=0, strict=True)
    loinc: Loinc | None = None
    t_scores: dict[str, float] = Field(default_factory=dict)
    t_source: Text | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.t_scores and self.t_source is None:
            raise ValueError("t_scores need t_source: where the table is from")
        if self.t_scores and self.method != "sum":
            raise ValueError("t_scores are by the sum: method has to be sum")
        for key in self.t_scores:
            if not (key.isascii() and key.isdecimal()):
                raise ValueError(f"t_scores are by whole sums, not by {key!r}")
        return self


class SmallestChange(_Part):
    """The smallest change of a score that matters to people, and who found it."""

    points: float = Field(gt=0)
    source: Text
    score: Word = TOTAL


class Licence(_Part):
    """Who holds the rights, and what they allow in which words."""

    holder: Text
    words: Text
    source: Text


class Concern(_Part):
    """From which answer to an item words of help are shown at once, and the therapist sees it."""

    item: Word
    at_least: int = Field(ge=0, strict=True)


class Questionnaire(_Part):
    """One questionnaire, in one version of its file.

    ``version`` grows by one with every change of the file that changes what an answer means: an
    answer is scored with the version that it was given to. ``asks_change``: it asks what became
    better since the beginning, so it is not asked before. ``note``: words of ours, for the reader,
    beside those of the authors.
    """

    id: Word
    version: int = Field(ge=1, le=9999, strict=True)
    name: Text
    short_name: Text
    measures: Text
    higher_is: Literal["worse", "better"]
    asks_change: bool = False
    licence: Licence
    source: Text
    loinc: Loinc | None = None
    instruction: Texts
    note: Texts = Field(default_factory=dict)
    options: tuple[Option, ...] = ()
    items: tuple[Item, ...] = Field(min_length=1, max_length=MAX_ITEMS)
    scores: tuple[Score, ...] = Field(min_length=1)
    smallest_change: SmallestChange | None = None
    concerns: tuple[Concern, ...] = ()

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that every text is in."""
        return tuple(self.instruction)

    def options_of(self, item: Item) -> tuple[Option, ...]:
        """List the answers to an item, in the order of the file."""
        return item.options or self.options

    def range_of(self, item: Item) -> tuple[int, int]:
        """Return the lowest and the highest answer to an item."""
        values = [option.value for option in self.options_of(item)]
        return min(values), max(values)

    def find_item(self, item_id: str) -> Item | None:
        """Find an item by its id."""
        return next((item for item in self.items if item.id == item_id), None)

    def find_score(self, score_id: str) -> Score | None:
        """Find a score by its id."""
        return next((score for score in self.scores if score.id == score_id), None)

    def items_of(self, score: Score) -> tuple[Item, ...]:
        """List the items that a score is made of."""
        wanted = set(score.items) or {item.id for item in self.items}
        return tuple(item for item in self.items if item.id in wanted)

    @model_validator(mode="after")
    def _check(self) -> Self:
        ids = [item.id for item in self.items]
        _refuse_repeated(ids, "item")
        _refuse_repeated([score.id for score in self.scores], "score")
        if self.find_score(TOTAL) is None:
            raise ValueError(f"one of the scores has to have the id {TOTAL!r}")
        self._check_languages()
        for item in self.items:
            options = self.options_of(item)
            if len(options) < 2:
                raise ValueError(f"item {item.id!r} has fewer than two answers")
            values = [option.value for option in options]
            if len(set(values)) < len(values):
                raise ValueError(f"item {item.id!r} has two answers of the same value")
        for score in self.scores:
            for name in score.items:
                if name not in ids:
                    raise ValueError(f"score {score.id!r} is of item {name!r}, which is not there")
            if score.max_missing >= len(self.items_of(score)):
                raise ValueError(f"score {score.id!r} would be made of no answer at all")
        if self.smallest_change and self.find_score(self.smallest_change.score) is None:
            raise ValueError(
                f"smallest_change is of score {self.smallest_change.score!r}, which is not there"
            )
        for concern in self.concerns:
            found = self.find_item(concern.item)
            if found is None:
                raise ValueError(f"a concern is of item {concern.item!r}, which is not there")
            if concern.at_least > self.range_of(found)[1]:
                raise ValueError(f"no answer to item {concern.item!r} reaches its concern")
        return self

    def _check_languages(self) -> None:
        wanted = set(self.instruction)
        if not wanted:
            raise ValueError("instruction is in no language")
        texts = [("note", self.note)] if self.note else []
        texts += [(f"option {option.value}", option.text) for option in self.options]
        for item in self.items:
            texts.append((f"item {item.id!r}", item.text))
            texts += [(f"item {item.id!r}, option {o.value}", o.text) for o in item.options]
        for place, text in texts:
            if set(text) != wanted:
                raise ValueError(
                    f"{place} is in {', '.join(sorted(text)) or 'no language'}, and the"
                    f" instruction in {', '.join(sorted(wanted))}"
                )


def _refuse_repeated(ids: list[str], kind: str) -> None:
    for name in ids:
        if ids.count(name) > 1:
            raise ValueError(f"{kind} {name!r} is there twice")
