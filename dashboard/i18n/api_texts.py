"""What the API says in English, put into the reader's language.

The API's answers hold sentences that ``analytics`` and ``api`` make of numbers. Those that people
read on the pages are listed here as they are made, with a name in braces for each number or word
that is put in; ``tests/dashboard/test_api_texts.py`` has them made and finds those that are not
listed. A sentence that is not is shown as it came.
"""

from __future__ import annotations

import re
from datetime import datetime

from dashboard.i18n import language, service_texts
from dashboard.i18n.formatting import format_day, format_long_day, format_time
from dashboard.i18n.language import N_, _
from ebbtide.i18n import heart_texts
from ebbtide.i18n.sentences import NUMBER, Sentences

# What an association is about; the field that holds it stands where German wants the dative.
# Said below the answer from questions that asked for one of the two alone.
ASKED_APART = N_(
    "Pain and stress were asked for at different moments. So a habit of one moment cannot make "
    "this. A mood that lasts for hours still could."
)
_NAMES = (
    *(N_("pain"), N_("stress"), N_("Pain"), N_("Stress"), N_("RMSSD"), N_("heart rate")),
    N_("stress at the rating before"),
    N_("pain at the rating before"),
    N_("stress from one day to the next"),
    N_("the heart's stress index"),
    N_("The heart's stress index"),
    N_("usable beats before them"),
    N_("a stress index from usable beats before them"),
    *(N_("weekday"), N_("time of day"), N_("weekday and the time of day")),
    *(N_("rhythm of a few days"), N_("rhythm of a few days and the time of day")),
)
_UNITS = (
    N_("one point of stress"),
    N_("one point of stress at the rating before"),
    N_("one point of pain at the rating before"),
    N_("one point more stress than the day before"),
    N_("ten points of the stress index"),
    N_("a doubling of RMSSD"),
    N_("ten beats a minute"),
    N_("one point more stress than usual"),
    N_("one point more stress at the rating before"),
    N_("one point more pain at the rating before"),
    N_("stress up by one point from the day before"),
    N_("a stress index ten higher"),
    N_("RMSSD twice its usual"),
    N_("a heart rate ten higher"),
)
_CHANGES = (N_("{points} points higher"), N_("{points} points lower"), N_("the same"))
_SENTENCES = (
    N_(
        "Rated {y} and rated {x} moved together: with {unit}, {name} was about {change} "
        "(95% interval {low} to {high}; {n} ratings)."
    ),
    N_(
        "Rated {y} and rated {x} moved opposite ways: with {unit}, {name} was about {change} "
        "(95% interval {low} to {high}; {n} ratings)."
    ),
    N_(
        "{y} and {x} moved together: with {unit}, {name} was about {change} "
        "(95% interval {low} to {high}; {n} ratings)."
    ),
    N_(
        "{y} and {x} moved opposite ways: with {unit}, {name} was about {change} "
        "(95% interval {low} to {high}; {n} ratings)."
    ),
    N_(
        "Rated stress came before rated pain, beyond what moved at the same moment: with {unit}, "
        "{name} was about {change} (95% interval {low} to {high}; {n} ratings)."
    ),
    N_(
        "Rated pain came before rated stress, beyond what moved at the same moment: with {unit}, "
        "{name} was about {change} (95% interval {low} to {high}; {n} ratings)."
    ),
    N_(
        "Rated {y} and rated {x} moved together: with {unit}, {name} was about {change} "
        "(95% interval {low} to {high}; {n} pairs of ratings)."
    ),
    N_(
        "Rated {y} and rated {x} moved opposite ways: with {unit}, {name} was about {change} "
        "(95% interval {low} to {high}; {n} pairs of ratings)."
    ),
    N_(
        "From {n} pairs of ratings we cannot tell whether {y} moved with {x}: with {unit}, {name} "
        "may have been anything from {lowest} to {highest}."
    ),
    N_(
        "Rated {y} and rated {x} moved together: with {unit}, {name} was about {change} "
        "(95% interval {low} to {high}; {n} changes from one day to the next)."
    ),
    N_(
        "Rated {y} and rated {x} moved opposite ways: with {unit}, {name} was about {change} "
        "(95% interval {low} to {high}; {n} changes from one day to the next)."
    ),
    N_(
        "From {n} changes from one day to the next we cannot tell whether {y} moved with {x}: with "
        "{unit}, {name} may have been anything from {lowest} to {highest}."
    ),
    N_(
        "{y} and {x} go opposite ways, but from {n} ratings we cannot tell which of them comes "
        "first."
    ),
    N_("{y} and {x} go together, but from {n} ratings we cannot tell which of them comes first."),
    N_(
        "From {n} ratings we cannot tell whether {y} moved with {x}: with {unit}, {name} may have "
        "been anything from {lowest} to {highest}."
    ),
    N_("Not enough yet to say whether {y} moved with {x}: {missing}."),
)
_CAVEATS = (
    N_("Moving together does not show that one brings the other; something else may move both."),
    N_("Coming before does not show that one brings the other; something else may bring both."),
    N_(
        "The fall that pain and stress share over the weeks is taken out first, so this is about "
        "the ups and downs around it."
    ),
    ASKED_APART,
    N_("Stress changes between the two moments, so a link looks weaker here than at one moment."),
    N_("This is one of several looks; it is called clear only after correction for that."),
    N_(
        "The interval is of this look by itself. It leaves out zero, but among several looks that "
        "is not clear enough."
    ),
    N_(
        "Both come from one form. A way of filling in the form that moves both would look the same."
    ),
    N_(
        "Something else that explains {share} of what is left of both would be enough to make this "
        "unclear."
    ),
    N_(
        "Something else that explains {share} of what is left of both would be enough to make this "
        "unclear. For comparison, the time of day explains {other}."
    ),
    *(N_("{share} at most"), N_("next to nothing")),
    N_(
        "Rated again within half an hour, {x} differed a little at times. Allowing for that, the "
        "slope would be about {slope}."
    ),
    N_("A rating is only roughly right, so a link looks weaker than it is."),
    N_(
        "Both follow the {what}. Without taking that out it would look as if they moved together; "
        "with it taken out, we cannot tell."
    ),
    N_("One moment carries this: {moment}. Without it we could not tell: {rest}."),
    N_("One moment stands out: {moment}. Without it the slope is {rest}."),
    N_("One moment hides it: {moment}. Without it, {y} would seem to move with {x}: {rest}."),
    N_("One moment stands out: {moment}. With it or without it we cannot tell: {rest}."),
    N_(
        "A few moments carry this: {moments} at which both were far from the ratings around them. "
        "Without them we could not tell: {rest}."
    ),
    N_("{slope} (95% interval {low} to {high})"),
    N_(
        "Ratings seem to be missing when things were bad. What was not rated cannot be known, and "
        "the true link may be another."
    ),
    N_(
        "Few changes: {y} and {x} were the same as the rating before in most of them ({changed} of "
        "{all} differ). An answer needs ups and downs."
    ),
    N_("{copies} row was the same as another of the same moment, and left out."),
    N_("{copies} rows were the same as another of the same moment, and left out."),
    N_(
        "If ratings are missing on worse moments, this look errs in about 7 of 100 cases, not in 5."
    ),
    N_(
        "Questions were left more often {when} ({gone} of {sent} were left). What was not rated "
        "cannot be known, and the true link may be another."
    ),
    N_("after worse ratings"),
    N_("after better ratings"),
    N_("while the heart was faster than usual at that time of day"),
    N_("while the heart was slower than usual at that time of day"),
    N_("after worse ratings and while the heart was faster than usual at that time of day"),
    N_("after worse ratings and while the heart was slower than usual at that time of day"),
    N_("after better ratings and while the heart was faster than usual at that time of day"),
    N_("after better ratings and while the heart was slower than usual at that time of day"),
    N_(
        "One person is not an arm of a trial: in the trial too some got better without treatment, "
        "and some did not get better with it. Pain also eases by itself, above all after a bad "
        "time."
    ),
    N_(
        "A practice is often begun at a bad moment, and bad moments pass by themselves. Breathing "
        "slowly makes RMSSD larger whether or not one is calmer."
    ),
    N_(
        "One person's change, not what made it: people come when things are bad, and much gets "
        "better by itself."
    ),
)
_MISSING_ASSOCIATION = (
    N_("{n} of at least {least} ratings with {x}; {more} more are needed, {pace}"),
    N_("{n} of at least {least} ratings with {x}; {more} more is needed, {pace}"),
    N_(
        "{n} of at least {least} pairs of a rating of stress and one of pain, half an hour to four "
        "hours apart"
    ),
    N_("about {days} more days at {rate} ratings a day"),
    N_("about {days} more day at {rate} ratings a day"),
    N_("about {days} more days at one rating a day"),
    N_("about {days} more day at one rating a day"),
    N_("the ratings span {span} of at least {least} days; {more} more are needed"),
    N_("the ratings span {span} of at least {least} days; {more} more is needed"),
    N_("{n} of at least {least} changes from one day to the next; about {more} more day is needed"),
    N_("{x} was the same at every rating, so nothing could move with it"),
    N_("{x} followed its course with no ups and downs of its own"),
    N_(
        "{n} of at least {least} changes from one day to the next; about {more} more days are "
        "needed"
    ),
    N_(
        "{n} of at least {least} people with {per} ratings or more that go up and down by "
        "themselves"
    ),
)
_MISSING_CHANGE = (
    N_("{n} ratings before and {m} after; {least} each are needed"),
    N_("{n} rating before and {m} after; {least} each are needed"),
    N_("{n} of at least {least} ratings over {days} days or more"),
    N_("the ratings were always the same"),
    N_("no lasting change is clear"),
    N_("{n} practices have both; {least} are needed"),
    N_("the change was the same in all {n}, so how sure it is cannot be worked out"),
    N_("{n} days with ratings; {least} are needed"),
    N_("no day stands out from those around it"),
    N_("{left} of {all} questions left out; none may be"),
    N_("{left} of {all} questions left out; at most {most} may be"),
)
_MISSING_HEART = (
    *heart_texts.MISSING,
    N_("the window is {length} s long; at least {least} s are needed"),
    N_("no beats were recorded in this window"),
    N_("{share} of the intervals were disturbed; at most {most} may be"),
    N_("beats cover {share} of the window; at least {least} are needed"),
    N_("less than an hour of usable beats in the night"),
    N_("nothing was recorded: not worn, or not connected"),
    N_("too few clean beats"),
    N_("moving, or just stood up: not judged"),
    N_("out of range, battery empty, or in use by another app"),
    N_("lost with a battery that was nearly empty"),
    N_("near, but it took no connection: in use by another app, or at the edge of its range"),
    N_("not worn: no skin contact"),
    N_("the device sent no times between beats"),
    N_("the recording was off"),
    N_("the browser was no longer allowed to use Bluetooth"),
    N_("the computer's clock was set"),
    N_("the computer's disk was full"),
    N_("the beats did not fit the clock"),
    N_("lost when a backup was restored"),
    N_("no beats came in the last minutes"),
    *(N_("the patient does not share it now"), N_("the time asked for is over")),
    *(N_("the sign-in is over"), N_("the role that could watch was taken away")),
    N_("the last beat came {age} s ago"),
)
_OTHER = (
    *(N_("patient"), N_("therapist"), N_("analyst"), N_("administrator")),
    *(N_("somatic tracking"), N_("paced breathing"), N_("seated rest")),
    *(N_("savouring"), N_("noticing something pleasant")),
    *(N_("moved together"), N_("moved opposite ways"), N_("cannot tell"), N_("not enough yet")),
    N_("moved together, but moments that they share could make it"),
    *(N_("Pain Reprocessing Therapy"), N_("open placebo injection"), N_("usual care")),
    N_("please ask about an answer: {which}"),
    N_(
        "You cannot answer here, and nobody watches this page. For anything urgent, call: the "
        "messages are no way to get help."
    ),
    N_("answered {which}"),
    N_("session {number} on {day} at {time}"),
    *(N_("Monday"), N_("Tuesday"), N_("Wednesday"), N_("Thursday"), N_("Friday")),
    *(N_("Saturday"), N_("Sunday")),
    N_("no rating for {days} days"),
    N_("no rating in four weeks"),
    N_("no heartbeats for {days} days"),
    N_("pain {by} in two weeks (95% interval {low} to {high})"),
    N_("stress {by} in two weeks (95% interval {low} to {high})"),
)
# What offers of practice by lot did, and why nothing was drawn.
_OFFERS = (
    *(N_("your stress"), N_("your pain"), N_("your heart rate"), N_("your RMSSD")),
    *(N_("their stress"), N_("their pain"), N_("their heart rate"), N_("their RMSSD")),
    *(N_("RMSSD (heart rate variability)"), N_("breathing"), N_("a practice")),
    *(N_("{yours} half an hour later"), N_("{yours} an hour later")),
    N_("{yours} {minutes} minutes later"),
    *(N_("{number} bpm"), N_("{number} ms")),
    *(N_("{low} to {high}"), N_("{low} bpm to {high} bpm"), N_("{low} ms to {high} ms")),
    *(N_("by {low} at least"), N_("by {low} bpm at least"), N_("by {low} ms at least")),
    N_(
        "On the moments when Ebbtide offered {practice}, {outcome} was {size} lower ({range}) "
        "than when it did not."
    ),
    N_(
        "On the moments when Ebbtide offered {practice}, {outcome} was {size} higher ({range}) "
        "than when it did not."
    ),
    N_("For {outcome}: not enough yet: {missing}."),
    N_(
        "For {outcome}: cannot tell, since ratings are missing more often on one side: {n} of "
        "{offered} after an offer, {m} of {all} without one. Those that are there can then not be "
        "compared."
    ),
    N_(
        "For {outcome}: cannot tell, and a difference of {size} would take thousands of offers to "
        "show."
    ),
    N_(
        "For {outcome}: no difference was seen so far, and one of {size} would probably have shown "
        "by now. A smaller one can still be there."
    ),
    N_("For {outcome}: cannot tell yet; about {n} more offers would show a difference of {size}."),
    N_("For {outcome}: cannot tell yet; about {n} more offer would show a difference of {size}."),
    N_("{n} moments with an offer and {m} without can be compared; {least} of each are needed"),
    N_("the outcome was the same every time, so how sure a difference is cannot be known"),
    N_("nothing can be compared"),
    N_(
        "The range in brackets is valid however often one looks. Each of these answers is wrong "
        "in at most one person of twenty. The draw decides what was offered, so what differs is "
        "due to the offer, and to nothing else that was going on. It holds for one person, and for "
        "these moments."
    ),
    N_(
        "Whoever rates knows what was offered. What hope or habit adds to a rating is part of what "
        "the offer did."
    ),
    N_(
        "Several practices are compared with nothing, each by itself; the more there are, the "
        "likelier is one wrong answer among them."
    ),
    *(N_("within the first days"), N_("outside of the hours that were agreed to")),
    *(N_("at night"), N_("near a session"), N_("the person had said not now")),
    N_("the rating after the last moment was still to come"),
    *(N_("the prompt was not sent"), N_("its draw was not committed to before")),
    N_("offers by lot had ended"),
)
_TEXTS = (
    *(*_NAMES, *_UNITS, *_CHANGES, *_SENTENCES, *_CAVEATS, *_OTHER),
    *(*_MISSING_ASSOCIATION, *_MISSING_CHANGE, *_MISSING_HEART, *_OFFERS),
    *(*service_texts.CLINIC_OFFERS, *service_texts.COHORT_LINK, *service_texts.OPERATION),
    *service_texts.NIGHTS,
)
# Fields that hold words; the others hold a number.
_WORDS = {
    *("x", "y", "unit", "name", "change", "lowest", "highest", "missing", "pace", "other", "what"),
    *("moment", "rest", "when", "which", "day", "time", "wait"),
    *("practice", "yours", "size", "range", "outcome"),
}
_KNOWN = Sentences(_TEXTS, _WORDS)
_MOMENT = re.compile(r"\d{1,2} [A-Z][a-z]+ \d{4}, \d\d:\d\d")
_OF_DAY = re.compile(
    r"([^,;]+) of (\d\d [A-Z][a-z]+)"
)  # a questionnaire, and when it was filled in


def say(text: str) -> str:
    """Return what the API said in the reader's language, or as it came where it is not listed."""
    if language.reader_locale().language == "en":
        return text
    if NUMBER.fullmatch(text):
        return _write_number(text)
    if _MOMENT.fullmatch(text):
        moment = datetime.strptime(text, "%d %B %Y, %H:%M")  # noqa: DTZ007 - the person's own time
        return f"{format_long_day(moment)}, {format_time(moment)}"
    found = _KNOWN.translate(text, _, say)
    if found is not None:
        return found
    of_days = [_OF_DAY.fullmatch(part) for part in text.split(", ")]
    if all(of_days):
        return ", ".join(_say_of_day(*part.groups()) for part in of_days if part)
    parts = text.split("; ")
    return "; ".join(say(part) for part in parts) if len(parts) > 1 else text


def _say_of_day(questionnaire: str, day: str) -> str:
    try:  # any leap year: the day has none
        moment = datetime.strptime(f"{day} 2028", "%d %B %Y")  # noqa: DTZ007 - a date
    except ValueError:
        return f"{questionnaire} of {day}"
    return _("{questionnaire} of {day}").format(questionnaire=questionnaire, day=format_day(moment))


def _write_number(text: str) -> str:
    locale = language.reader_locale()
    percent = str(locale.percent_formats[None].pattern).strip("#,0")
    decimal = locale.number_symbols["latn"]["decimal"]
    return text.replace(".", decimal).replace("%", percent)
