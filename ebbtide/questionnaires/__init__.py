"""Questionnaires: what they are, and the files that they are read from."""

from ebbtide.questionnaires.definition import (
    TOTAL,
    Concern,
    Item,
    Licence,
    Option,
    Questionnaire,
    Score,
    SmallestChange,
)
from ebbtide.questionnaires.help_words import help_words
from ebbtide.questionnaires.library import (
    QuestionnaireFileError,
    QuestionnaireLibrary,
    load_library,
    parse_questionnaire,
    read_questionnaire,
)

__all__ = [
    "TOTAL",
    "Concern",
    "Item",
    "Licence",
    "Option",
    "Questionnaire",
    "QuestionnaireFileError",
    "QuestionnaireLibrary",
    "Score",
    "SmallestChange",
    "help_words",
    "load_library",
    "parse_questionnaire",
    "read_questionnaire",
]
