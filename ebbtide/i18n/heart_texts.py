"""Why something of the heart has no number, in the words that commands and pages share."""

from __future__ import annotations

from ebbtide.i18n import N_

MISSING = (
    N_("window too short"),
    N_("no beats recorded"),
    N_("too disturbed"),
    N_("too few usable beats"),
    N_("not known yet: learning the usual takes two worn days before"),
    N_("moving: the heart works for the muscles"),
    N_("active: a heart rate far above rest is not judged"),
    N_("during a practice: slow breathing changes the heart by itself"),
)
