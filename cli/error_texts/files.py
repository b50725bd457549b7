"""Why a file of intervals or nights is refused."""

from __future__ import annotations

from ebbtide.i18n import N_

TEXTS = (
    N_("{path} is a zip without a Health export."),
    N_("Give export.zip."),
    N_("In the Health app: your picture > Export All Health Data; the watch must be worn."),
    N_("{path} declares entities, which no export of the Health app does."),
    N_("Export it again; do not open a file that somebody else made."),
    N_("{path} cannot be opened: {error}."),
    N_("Give export.zip as the phone made it."),
    N_("{path} holds {value} files; {max_members} are read at a time."),
    N_("Put fewer of them into a zip."),
    N_("{path} cannot be unpacked: {error}."),
    N_("Unpack it yourself."),
    N_("{path} is larger than {value} MB when unpacked, or {name} than {value2} MB."),
    N_("Put fewer files into a zip."),
    N_("{path} holds no RR interval{first}."),
    N_("Give one RR interval a line, in milliseconds or seconds, or name a column: --column."),
    N_("{value} of {path} counts up by {middle}: rows of a fixed rate or an index, not beats."),
    N_("Give RR intervals, or name their column: --column."),
    N_("{path} holds heart rates and no RR interval; beats cannot be had from rates."),
    N_("Export the RR (beat-to-beat) intervals of the recording."),
    N_(
        "Export the RR (beat-to-beat) intervals of the recording. Rates with the date and time of "
        "each are taken as they are, for the stress index."
    ),
    N_("Both {name} and {other} of {path} may be the heart rate."),
    N_("Leave one of them in the file."),
    N_("{path} has the columns {value}, none of them known."),
    N_("Name the column of intervals: --column, or call it rr_ms, or that of beat times time_s."),
    N_("'{unit}' is no unit."),
    N_("Give one of: {value}; or samples@500 for sample numbers at 500 Hz."),
    N_("{path} has no column '{column}'."),
    N_("Give RR intervals, or beat times in a column named time_s."),
    N_(
        "Export the RR (beat-to-beat) intervals; or, if these are, say their unit: --unit "
        "1/256 or --unit 1/100."
    ),
    N_(
        "{name} of {path} (median {middle}) may be milliseconds (a heart rate of {value}) or "
        "1/256 s (a heart rate of {value2})."
    ),
    N_("Say which: --unit ms or --unit 1/256."),
    N_("Both {a} and {b} of {path} may be the RR intervals."),
    N_("Say which: --column '{a}' or --column '{b}' (or its place, --column {value} or {value2})."),
    N_("{path} holds times that cannot be read (line {value}: {value2})."),
    N_("Write them like 2026-11-24T08:30:00."),
    N_("{value} of {path} holds no numbers."),
    N_("Give --column."),
    N_("{value} of {path} only counts up: a time or an index, not intervals."),
    N_("Name the column of intervals: --column."),
    N_("Give their unit, such as --unit ms or --unit s, or another --column."),
    N_("{path} holds {what} ({listed}) and no annotations that mark beats."),
    N_(
        "Find the beats with NeuroKit2 (nk.ecg_peaks) or Kubios HRV, and import their RR intervals."
    ),
    N_("{path} is an EDF file without data."),
    N_("Export or copy it again."),
    N_("{path} holds no interval between beats."),
    N_("Both the annotations '{value}' and '{value2}' of {path} may mark the beats."),
    N_("Say which: --column '{value}' or --column '{value2}'."),
    N_("The annotations '{text}' of {path} do not come as heartbeats do."),
    N_("Name those that mark beats: --column."),
    N_("{path} has no signal or annotation '{column}'."),
    N_("It has the signals {value}, and annotations {value2}."),
    N_("Both the signals '{first}' and '{second}' of {path} may be the RR intervals."),
    N_("Say which: --column '{first}' or --column '{second}'."),
    N_("{path} begins as an EDF file and is damaged: {value}."),
    N_("{path} withholds when it was recorded, or says it in no way that can be read."),
    N_("Give the beginning: --start 2026-11-24T08:30:00"),
    N_("{path} begins as an EDF file and is damaged: {why}."),
    N_(
        "The signal '{label}' of {path} has no range in the header, so that its values are "
        "not milliseconds or seconds."
    ),
    N_("Export it again, or as text."),
    N_("Give its unit (--unit ms or --unit s), or another --column."),
    N_(
        "The signal '{label}' of {path} has a value every {every_s} s that does not repeat "
        "the latest interval: its values are between beats (interpolated), or beats between "
        "them are missing."
    ),
    N_("Export the RR intervals as text, one a beat, or the beats as annotations."),
    N_("{path} is not a text file (it holds control characters)."),
    N_("{path} is larger than 200 MB."),
    N_("Split it."),
    N_("{path} cannot be read: {value}."),
    N_("Check the name of the file."),
    N_("{path} is not whole JSON ({value})."),
    N_("Export it again."),
    N_("{path} holds no RR intervals and no heart rates: {why}."),
    N_("On a Garmin watch: System > Data Recording > Log HRV, and record with a chest strap."),
    N_("{path} holds RR intervals and not one time of day."),
    N_("Give when it began: --start."),
    N_(
        "Every value of {name} of {path} is 60,000 divided by a whole number: computed from "
        "heart rates, not intervals between beats."
    ),
    N_("Export the RR intervals one a beat, as the device measured them."),
    N_(
        "{name} of {path} repeats every value {repeats}: rows of a fixed rate, not beats; "
        "which equal rows are one beat cannot be said."
    ),
    N_(
        "{path} says of itself '{said}': the rows of {name} come at a fixed rate and are not beats."
    ),
    N_("'{text}' is not a date and time."),
    N_("Write it like 2026-11-24T08:30:00."),
    N_("{source} would begin before 2000, at {value} UTC."),
    N_("Correct the date in the file, or export it without dates and give --start."),
    N_("{source} would end in the future, at {value} UTC."),
    N_("Check --start and --zone, the date in the file, and the clock of this machine."),
    N_("{path} holds no RR interval: it ends after its header."),
    N_("Check the file."),
    N_("Give a file with one RR interval a line."),
    N_("{path} holds times before 1970 ({value})."),
    N_("Correct the dates in the file: the clock of the device was not set."),
    N_("{path} holds no RR interval."),
    N_("Give RR intervals, or beat times."),
    N_(
        "{path} holds times (every {middle} s) and no RR interval: they are no beat times, or"
        " of whole seconds."
    ),
    N_("{path} is a results file of Kubios HRV without its RR interval data."),
    N_(
        "Export the results from Kubios as ASCII text or CSV with the RR data, or save the RR"
        " intervals themselves."
    ),
    N_("The RR interval data of {path} are empty."),
    N_("Export the results again, with the RR data."),
    N_("The RR interval data of {path} have no columns 'Time' and 'RR interval' with a unit."),
    N_("Export the results from Kubios again, or save the RR intervals themselves."),
    N_("The measurement date of {path} may be {value} or {value2}."),
    N_("Say which: --start {value} or --start {value2}"),
    N_(
        "In line {number} of {path} the time goes on from an hour to {value} after the next: "
        "either clocks went forward, or there is a gap of {value2}."
    ),
    N_("Name the zone of the times: --zone Europe/Berlin (or --zone UTC for a gap)."),
    N_("{path} is a picture, sound or film."),
    N_(
        "Export the RR (beat-to-beat) intervals as text or CSV from the app that recorded the"
        " strap."
    ),
    N_("{path} is an ECG or another signal, not intervals between beats."),
    N_("{path} is a table of nightly or daily values{whose} ({value} ...), without RR intervals."),
    N_("{path} is a web page, not an export."),
    N_("Sign in there and download the file itself."),
    N_("{path} is an XML file, and not the export of the Health app."),
    N_("{path} is a Word document."),
    N_("Save the intervals as plain text."),
    N_("{path} is a workbook (Excel or OpenDocument)."),
    N_("Save the sheet with the RR intervals as CSV (UTF-8)."),
    N_("{path} is an empty zip."),
    N_("{path} is {what}, which is not read."),
    N_("{path} is {what}: it holds places and heart rates, no RR intervals."),
    N_(
        "Export the original FIT file (Garmin Connect: Export Original), or the R-R data "
        "(Polar Flow: R-R CSV)."
    ),
    N_(
        "{path} is a Polar HRM file with a heart rate every {value} s, not in R-R mode: it "
        "holds no RR intervals."
    ),
    N_("Record with the R-R data of the watch switched on, and export that recording."),
    N_("{path} holds no RR interval in [HRData]."),
    N_("{path} is a file of Polar Flow without RR intervals."),
    N_(
        "Record with a chest strap and R-R recording switched on; in Polar Flow, export the "
        "session as 'R-R (CSV)'."
    ),
    N_("{path} holds no pulse interval."),
    N_("Export the account again."),
    N_("'{decimal}' is no decimal mark."),
    N_("Give --decimal . or --decimal ,"),
    N_("{path} is a zip in a zip in a zip."),
    N_("Unpack it, and import the file in it."),
    N_("{filename} in {path} is larger than 200 MB."),
    N_("{filename} in {path} cannot be unpacked: {error}."),
    N_(
        "{name} of {path} rules out {count} of {value} rows, if {value2}; it may mean the opposite."
    ),
    N_("Leave out the column {name} to use all rows, or write it the other way round."),
    N_("{path} holds the intervals of {value} ({name}: {value2}{more})."),
    N_("Write a file for each {name}, with its rows alone."),
    N_("The rows of {found} values of {name} are mixed in {path}."),
    N_("Write a file for each {name}, or sort the rows by it."),
    N_("{path} holds no RR interval: {why}."),
    N_("{path} holds no RR interval: {value}."),
    N_("{path} does not say when it was recorded, and neither does its name."),
    N_("There is no standard input."),
    N_("Name a file."),
    N_("More than {value} MB came through {shown}."),
    N_("Save it as a file, and name that: a file may be larger."),
    N_("{shown} cannot be read: {value}."),
    N_("Check it, and that {value} has room; or save it as a file."),
    N_("{value} of {path} may be the intervals of one notification, or of several devices."),
    N_("Say which column: --column '{value}'; or write the intervals one a row."),
    N_(
        "The comma in lines like {value} may be a decimal mark ({value2}) or separate two "
        "columns ({value22} and {value222})."
    ),
    N_("Say which: --decimal , or --decimal . (then also --column 1 or --column 2)."),
    N_(
        "The rows of {path} come every {every} s and {name} repeats the latest interval: they"
        " add up to {total} s in {span} s, and beats between rows are missing."
    ),
    N_("Export the RR intervals one a beat."),
    N_(
        "{value} of {path} adds up to {total} s, but {value2} goes on by only {span} s: the "
        "rows are not beats, or the unit is not {unit}."
    ),
    N_("Give the unit (--unit) or the column of intervals (--column), or export RR intervals."),
    N_(
        "{value} of {path} in {unit} is {factor} times the steps of {value2}, which {other} "
        "would be."
    ),
    N_("Say the unit: --unit {other}, or --unit {unit} if it is that."),
    N_(
        "{value} of {path} is 60,000 divided by {value2}, at a fixed rate: computed from "
        "heart rates, not intervals between beats."
    ),
    N_("Both the lists '{value}' and '{value2}' of {path} may be the intervals."),
    N_("Say which: --column {value} or --column {value2}."),
    N_("Give their unit: --unit 1/1024, for instance."),
    N_("{path} is nested too deep."),
    N_("{path} holds no night: no time asleep with SDNN or heart rates in it."),
    N_("Wear the watch at night, with sleep tracking switched on."),
    N_("The times of {what} are local and name no zone."),
    N_("Name the zone in which it was worn: --zone Europe/Berlin"),
    N_("{path} holds heart rates of Fitbit and no heart rate variability."),
    N_("In Google Takeout choose Fitbit with 'Heart Rate Variability' (all of it)."),
    N_("{path} holds no nightly heart rate variability of Garmin."),
    N_("Export the wellness data of a watch that measures HRV status."),
    N_("{path} holds no night with heart rate variability."),
    N_("Let the app of your watch write it to Health Connect, and export again."),
    N_("{base} is a database, and not the export of Health Connect."),
    N_("Give the zip as Health Connect made it."),
    N_("{base} is a damaged database ({error})."),
    N_("Export it again: Health Connect > Manage data > Backup and restore."),
    N_("{name} is larger than {value} MB."),
    N_("Export a shorter time."),
    N_("{path} cannot be read: {error}."),
    N_("Check the name of the file, or export it again."),
    N_("{name} in {path} is damaged: {error}."),
    N_("{name} in {path} cannot be read: {error}."),
    N_("{name} cannot be unpacked: {error}."),
    N_(
        "{path} is more than {max_ratio} times as large unpacked, or than {value} GB, as no "
        "export is."
    ),
    N_("Export a shorter time; do not open a file that somebody else made."),
    N_("{path} is an export of Oura without a night of three hours or more."),
    N_("Export sleep, for the time in which the ring was worn."),
    N_("{base} is damaged JSON ({error})."),
    N_("{path} holds no night of Polar with heart rate variability."),
    N_("Export the nights in which the watch was worn."),
    N_("{path} holds no {hrv} of Samsung Health."),
    N_("In the app: Settings > Download personal data; import the whole zip or folder."),
    N_("{path} holds no night of Samsung Health with values."),
    N_("Import the whole zip as the app made it: the values are in its folder jsons."),
    N_("{path} holds no cycle of WHOOP."),
    N_("{path} holds no cycle of WHOOP: {problem}."),
    N_("{base} has no column 'Cycle timezone', so its times have no zone."),
    N_("Export it again (WHOOP: More > App Settings > Data Export)."),
    N_("{name} is a table of nights without a figure that can be read."),
    N_("{name} is a table of nights without a figure that can be read: {problem}."),
    N_("Give each night a row with its date and RMSSD or SDNN in ms."),
    N_(
        "{base} has a figure a day and does not say whether it is of the night, of the "
        "morning or of the whole day."
    ),
    N_("If it is of the night that ended on that date, name the column {day} 'night'."),
    N_(
        "The column {vague} of {base} does not say which heart rate variability it is in ms: "
        "RMSSD and SDNN are different quantities."
    ),
    N_("Name it 'rmssd_ms' or 'sdnn_ms', as the device's documentation says."),
    N_("The column {value} of {base} is not a night's RMSSD or SDNN in ms, by its name."),
    N_("If it is, name it 'rmssd_ms' or 'sdnn_ms'."),
    N_("{base} has several columns of a date: {value}."),
    N_("Name the one on which the night ended 'night'."),
    N_("{base} has several columns of when a night began or ended: {value}."),
    N_("{base} has {count} columns that are named {name}, but for signs and capitals."),
    N_("Rename those that are not to be read."),
    N_(
        "{base} is a table for analysts: its people have pseudonyms and its dates are moved by "
        "weeks, so that no night in it is of the day that it names."
    ),
    N_("Import the person's own table (ebbtide export nights), or the export of their device."),
    N_("{base} holds nights of several people: {column} is {value} and {value2}."),
    N_("Keep the rows of one person and import that file into their account."),
    N_("{base} has several columns of a night's {value}: {several}."),
    N_("Name the one that is to be read {exact}."),
    N_("{base} has two rows of {day} with different figures."),
    N_("Keep one row a night; of several devices, name each in a column 'source'."),
    N_(
        "Of nights, name the columns: night (the date on which it ended), and rmssd_ms or "
        "sdnn_ms. For beats, record with a chest strap in an app that saves RR intervals."
    ),
    N_(
        "Of nights, import the whole export, with its files of heart rate variability. For "
        "beats, record with a chest strap in an app that saves RR intervals."
    ),
    N_("{path} holds no night of Fitbit that can be read: {problem}."),
    N_(
        "The column {starting} of {base} has the date on which a night began, and a night is "
        "named by the one on which it ended."
    ),
    N_("Give that date in a column 'night', or both times in 'sleep_start' and 'sleep_end'."),
    N_("{path} holds sleep of Polar and no heart rate variability of a night."),
    N_("Import the whole account export: it is in the files nightly_recovery_*.json."),
    N_("{path} holds no sleep with heart rates in it."),
    N_("Import the whole export: sleep and heart rates are in files of their own."),
    N_("{path} is an export of WHOOP whose columns are not named in English."),
    N_("Set the app to English and export it again (WHOOP: More > App Settings > Data Export)."),
    N_("{path} holds sleeps of WHOOP and no heart rate variability."),
    N_("Import the whole export: it is in physiological_cycles.csv."),
    N_(
        "The dates of {base}, as {value}, have two readings: nothing says whether the day comes "
        "first or the month."
    ),
    N_("Write them as 2026-11-24, or import a longer time, in which a day is after the 12th."),
    N_(
        "{path} holds values of several people, or of several watches: at {value} times there are "
        "two that differ, the first on {day}."
    ),
    N_("Import the files of each person into their own account, and of two watches one."),
    N_("{path} holds no night of Garmin that can be read: {problem}."),
    N_("{base} is JSON of more than {value} MB."),
    N_("{base} is more than {max_ratio} times as large unpacked, as no export is."),
    N_("{base} is JSON of more than {max_objects} objects and lists, as no export has."),
    N_(
        "{file} may hold nights of several people: {name} has {value} values, {value2} and "
        "{value3} among them, each in several rows."
    ),
    N_("Keep the rows of one person. If they are, take that column out."),
    N_("{path} holds no night of Polar that can be read: {problem}."),
    N_("{path} holds no sleep with heart rates that can be read: {problem}."),
    N_("{base} has more than {max_rows} rows; a table of nights has one a night."),
    N_("Keep a row a night, or import it in parts."),
)
