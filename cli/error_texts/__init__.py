"""What is wrong and what to do about it, as errors say it, for the catalogue of translations.

The sentences stand in English where an error is raised, with names, paths and numbers in them; here
they have fields in their place. ``tests/cli/test_error_texts.py`` finds what is not listed.
"""

from __future__ import annotations

from cli.error_texts import files, kinds, recording, running, stores, tables
from ebbtide.i18n import N_

WRONG_SETTING = N_("A setting is wrong. {problems}. Correct it, or unset it for its default.")
NOT_UPLOADED = N_("Not uploaded yet: {error} It is kept, and goes with the next record or import.")
FRAMES = (WRONG_SETTING, NOT_UPLOADED)  # around what another error says
KINDS = kinds.KINDS
ERRORS = (
    *files.TEXTS,
    *kinds.TEXTS,
    *recording.TEXTS,
    *running.TEXTS,
    *stores.TEXTS,
    *tables.TEXTS,
    *FRAMES,
)

__all__ = ["ERRORS", "FRAMES", "KINDS", "NOT_UPLOADED", "WRONG_SETTING"]
