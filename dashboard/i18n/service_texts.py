"""What the API says of nights, of the service itself and of all people, for the catalogue."""

from __future__ import annotations

from dashboard.i18n.language import N_

# Practice by lot over everybody, and what its estimates rest on.
CLINIC_OFFERS = (
    N_("Not enough yet to say what offers did: {missing}."),
    N_("{n} people have {m} moments with all ratings; at least {least} are needed"),
    N_("We cannot tell whether offers changed {name}."),
    N_("After an offer {name} was lower than without."),
    N_("After an offer {name} was higher than without."),
    N_("How much of it goes with the difference in stress cannot be said."),
    N_("We cannot tell whether a difference in pain goes with the difference in stress."),
    N_(
        "After an offer, some of the difference in pain goes with the difference in stress. That "
        "stress carries it to pain is not proven by this: chance decided the offer, not the stress "
        "that followed."
    ),
    N_(
        "mediator and controls tell offered from other moments without error: the two arms do not "
        "overlap, and no indirect effect can be known"
    ),
    N_("Chance alone decided what was offered, with the probabilities that are stored"),
    N_("What differs could be due to something else; each draw can be done again"),
    N_("Whether a rating is missing does not depend on the offer and on how one feels"),
    N_("Those who answer after an offer would be others: compare the shares left out"),
    N_("What hope and politeness add to a rating is part of what an offer does"),
    N_("Nobody who rates can be kept from knowing what was offered"),
    N_("Those who agreed to research are like those who did not"),
    N_("It holds for those who agreed, and says nothing of the others"),
    N_(
        "After the draw nothing else moves both stress and pain, given the ratings before, the "
        "hour and the day. Such would be news in that half hour, or the mood of filling in"
    ),
    N_(
        "It would look as if stress carried the effect; chance decided the offer, not "
        "the stress that followed"
    ),
    N_("Stress changed first, and pain with it: both are rated at the same moment"),
    N_("Less pain could have lowered stress, and the split would look the same"),
)
# The link of all people together.
COHORT_LINK = (
    N_("We cannot tell whether pain moved with stress."),
    N_("Rated pain and rated stress moved together within people."),
    N_("Rated pain and rated stress moved opposite ways within people."),
    N_(
        "Rated pain and rated stress moved together, but moments that they share could make it: "
        "the changes from rating to rating do not show it clearly."
    ),
    N_(
        "Rated pain and rated stress moved opposite ways, but moments that they share could make "
        "it: the changes from rating to rating do not show it clearly."
    ),
    N_(
        "1 person was asked for pain and stress at different moments. That person is not in this "
        "answer."
    ),
    N_(
        "{people} people were asked for pain and stress at different moments. They are not in this "
        "answer."
    ),
    N_(
        "Ratings seem to be missing when things were bad: those beside a gap are worse than the "
        "others. That makes a link look weaker, or opposite, than it is."
    ),
    N_(
        "Each one's course over weeks is taken out: a smooth curve, the time of day, a step, "
        "the two days after each session; and the hours and weekdays that all have in common"
    ),
    N_("A course of another shape, shared by pain and stress, would look like a link"),
    N_("A link shows in the changes from rating to rating, not in slow ups and downs alone"),
    N_("It is called a link that shared moments could make"),
    N_("No way of filling in forms moves both ratings of a moment"),
    N_("It would look like a link; ratings at different moments would tell"),
    N_("Errors close in time resemble each other, and less so further apart"),
    N_("Intervals would be too narrow"),
    N_("People differ in their slopes as draws from one bell curve do"),
    N_("The mean may be nobody's slope; look at the people"),
    N_("Whether a rating is given does not hang on pain and stress at that moment"),
    N_("Ratings that are left out when both are bad make the link look weaker"),
    N_("None that stress brings pain, or pain stress"),
    N_("Moving together does not show that one brings the other"),
    N_(
        "each person's slope beyond the clinic's common hours and weekdays, a natural spline, the "
        "likeliest step, a daily rhythm, a cycle of days, shifts and a block of hours and days, "
        "with autocorrelated errors; random-effects mean with the interval of Hartung and Knapp; "
        "a second look at the changes from rating to rating against a margin; version 4"
    ),
)
OPERATION = (
    *(N_("beats"), N_("people and ratings"), N_("it is not running")),
    N_("the process that worked at it ended before it was done"),
    N_("The analysis did not go well ({kind}). ebbtide nightly says more of it."),
    N_("An error of the kind {kind}."),
    *(N_("the operator of this server"), N_("an account that is no more")),
    N_(
        "Deleted, but not overwritten in the files yet ({which}: {what}). The service tries it "
        "again every minute and at its start."
    ),
    N_("consent to keeping was taken back"),
    N_("the time they agreed to is over"),
    N_("nothing new for {days} days"),
    *(N_("backup"), N_("embedded store"), N_("put aside"), N_("ECG recording"), N_("outbox")),
)
NIGHTS = (
    *(N_("nights"), N_("ratings"), N_("pain of the day")),
    N_("Over {n} nights it cannot be told."),
    N_(
        "Over {n} nights, days after calmer nights had more pain. That one came before the other "
        "does not show that it brings it."
    ),
    N_(
        "Over {n} nights, days after calmer nights had less pain. That one came before the other "
        "does not show that it brings it."
    ),
    N_(
        "Over {n} nights, nights after days of more {x} were calmer. That one came before the "
        "other does not show that it brings it."
    ),
    N_(
        "Over {n} nights, nights after days of more {x} were less calm. That one came before the "
        "other does not show that it brings it."
    ),
    N_("Not enough yet: {missing}."),
    N_("no night in the recordings"),
    N_("{n} of at least {least} usable five-minute windows asleep"),
    N_("no night in the export: not worn, not charged, or not measured"),
    N_("asleep, but nothing was measured"),
    N_("not worn, or nothing was measured: the export has an empty row"),
    N_(
        "Heart rate variability asleep differs from device to device and with much else (alcohol, "
        "fever, a late meal). What came before something is not what brought it."
    ),
)
