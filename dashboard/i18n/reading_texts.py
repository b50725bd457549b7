"""Notes of how a file was read and what in it is wrong, for the catalogue.

They stand in English where they are made (``ingest/files``, ``ingest/nights``), with names and
numbers in them; here they have fields in their place. ``say_of_file`` finds them again, and
``tests/dashboard/test_reading_texts.py`` finds what is not listed.
"""

from __future__ import annotations

from dashboard.i18n import language
from dashboard.i18n.language import _
from ebbtide.i18n import N_
from ebbtide.i18n.sentences import Sentences

# What was left out or cannot be read.
_PROBLEMS = (
    N_("line {number}: {what}"),
    N_("a measurement begins at {started}, which is no time; left out"),
    N_("{started}: a measurement without two beats in a row; left out"),
    N_("{started}: a beat at {text} cannot be read; left out"),
    N_("the file is damaged ({error}); what stands before that was kept"),
    N_("the file is damaged ({error})"),
    N_("{device}: {count} beats of measurements that overlap with another one were left out"),
    N_("{count} characters that XML does not allow were left out"),
    N_("the file is cut off after {records} records; they were kept"),
    N_("the file is cut off after {records} of {all} records; they were kept"),
    N_("the annotations of {damaged} records cannot be read"),
    N_("{count} annotations stand twice at one time; one counts"),
    N_("the file ends in {count} zero bytes, where a write was lost"),
    N_(
        "the file was not closed, as when a battery dies (its header says {size} bytes of {bytes});"
        " it was read to its end"
    ),
    N_("{count} values (the first: {first} ms) are no interval between two beats; left out"),
    N_("the file holds beats more than once: {count} in its {used} were read, {others} were not"),
    N_("{count} bytes follow the end of the file; left out"),
    N_("line {number} is cut off"),
    N_("time {time} is not after {before}"),
    N_("{cell} is not a number"),
    N_("{row} is not a time and an interval"),
    N_("{cell} is not an interval"),
    N_("{cell} is not a time"),
    N_("{cell} is before the line above"),
    N_("{cell} is not an interval between two beats"),
    N_("{ms} ms is not an interval between two beats"),
    N_("{key}: {cell} is not an interval between two beats"),
    N_("{cell} is not an interval between beats"),
    N_("its time is before the line above"),
    N_("{count} entries are not an interval between pulses"),
    N_("{count} entries are not an interval between two beats"),
    N_("{count} of {rows} rows have no time or no heart rate of their own; left out"),
    N_("{count} values are before 2000 or after 2100; left out"),
    N_("{count} nights cannot be, the first of {first}; left out"),
    N_("{count} nights are in the future, the first {day}; left out"),
)
# Where beats were placed although the file does not say it.
_PLACED = (
    N_(
        "whether the time of a beat-interval message is that of its first or its last beat is not "
        "in the file: taken as its last, so that beats may be up to {seconds} s later than placed"
    ),
    N_(
        "the file has no records: beats are placed from when it was begun, as its first message "
        "says"
    ),
    N_("its heart-rate messages hold no time of day: beats are placed from the start of the timer"),
    N_("{count} times more than 3 s passed between two beats: left as gaps"),
    N_(
        "the intervals stand apart from the records and add up to {total} s, where {passed} s "
        "passed from {begin} to {end}: they are placed from its beginning, and may be up to "
        "{off} s from where they were"
    ),
    N_(
        "the intervals add up to {total} s, and the activity has {passed} s: the last are placed "
        "up to {off} s after its end. Their lengths are as in the file, their times are not certain"
    ),
    N_(
        "from {begin} to {end} the intervals fill {total} of {passed} s: when the others were lost "
        "is not in the file, so that beats there may be up to {off} s from where they are placed"
    ),
    N_(
        "it began at {moment}, which clocks in {zone} had twice or not at all that night: taken "
        "for the first"
    ),
    N_("line {number}: clocks went back; the {length} that comes twice is read by order"),
    N_("line {number}: the lines before are of the second of two hours"),
    N_("line {number}: clocks went forward; there is no gap of {length}"),
)
# How columns and values were taken.
_TAKEN = (
    N_(
        "'{label}' repeats the latest interval at {rate}: {count} beats, their times to half a "
        "sample"
    ),
    N_("beats are the annotations {text}, of whatever kind"),
    N_("the unit is assumed to be {unit}, by the size of the numbers alone"),
    N_("{rows} rows at a fixed rate repeat the latest interval: {count} beats"),
    N_("Kubios had corrected {percent}% of the beats"),
    N_("{count} intervals that two samples share, or that are none, are left out"),
    N_(
        "{count} heart rates and no times between beats: they feed the stress index, by heart "
        "rate only, and no HRV"
    ),
    N_("pulse intervals of an optical sensor (PPI): figures are pulse rate variability, not HRV"),
    N_("{name} has {parts} parts: they are read with a gap between"),
    N_("{count} rows are left out: {name} is {value} (yes or no)"),
    N_("{name} is not used: its values are not yes or no"),
    N_("{names} are read as the intervals of one row, in this order"),
    N_("{name} holds several intervals a row: each is read"),
    N_("the newest row stands first in {name}: read from the end"),
)
_NIGHTS = (
    N_("the date of a night is taken for that on which it ended"),
    N_("no sleep stages are there: the time in bed is taken as the sleep"),
    N_("{name}: SDNN is there and no sleep, so which is of nights is not known"),
    N_("{count} nights that {copier} wrote are those of {owner}; they are counted once"),
    N_("some nights have the device's own average and no values"),
    N_("{name} wrote one RMSSD a night: taken as its own average of the night"),
    N_("columns that were not read: {names}"),
    N_("{name} is another in each row, and was taken for a number of the row and not of a person"),
    N_(
        "the table names no device, so its nights are of {source}; a column 'source' with the "
        "device's name tells them from another's"
    ),
    N_("averages of a night are Oura's own; its five-minute values have holes"),
    N_("averages of a night are Polar's own (of its first four hours asleep)"),
    N_("averages of a night are WHOOP's own; it exports no values of a night"),
    N_("this device exports no heart rate variability: nights have their heart rate"),
)
# Why a metric of a file has no number.
_METRICS = (
    N_("there are no intervals"),
    N_("only {share} of the intervals are normal; {least} are needed"),
    N_("{seconds} s of NN intervals; {least} s are needed"),
    N_("{count} NN intervals; {least} are needed"),
    N_("no narrow peak that would be breathing"),
    N_("the gaps leave stretches too short for waves this slow, or hardly any power"),
    N_("longer than {most} intervals; ask for windows of fewer"),
    N_(
        "Breathing seems to be slower than 9 a minute: its waves are then in LF, not in HF, and "
        "LF, HF, LF/HF and RMSSD do not say what they usually say."
    ),
    N_("the intervals do not vary enough, or a hole is too long, to work it out"),
)
# What fields of these may hold besides names and numbers.
_FIELDS = (
    N_("HRV messages"),
    N_("heart-rate messages with a time a beat"),
    N_("beat-interval messages"),
    N_("{count} in its {kind}"),
    N_("hour"),
    N_("half hour"),
    N_("an hour"),
    N_("half an hour"),
)
TEXTS = (*_FIELDS, *_PROBLEMS, *_PLACED, *_TAKEN, *_NIGHTS, *_METRICS)
_KNOWN = Sentences(TEXTS)


def say_of_file(text: str) -> str:
    """Return a note of a file in the reader's language, or as it came where it is not listed."""
    if language.reader_locale().language == "en":
        return text
    # What is wrong with a line is a field of it; names and cells stay as the file has them.
    return _KNOWN.translate(text, _, say_of_file) or text
