"""The help of every option, and what its parser says, for the catalogue of texts."""

from __future__ import annotations

from cli.commands import SUMMARIES
from ebbtide.i18n import N_

HELP = (
    *SUMMARIES.values(),
    N_(
        "Heartbeats beside ratings of pain and stress, with answers that stay honest. Not a "
        "medical device."
    ),
    N_("Show the version."),
    N_("Install completion for the current shell."),
    N_("Show completion for the current shell, to copy it or customize the installation."),
    N_("Address to listen on."),
    N_("Open the pages in the browser."),
    N_("Have it start by itself when you sign in to this computer, or no more."),
    N_(
        "Let phones in your Wi-Fi reach the pages, without encryption, or no more; as it was "
        "before if left out."
    ),
    N_(
        "Let phones in your Wi-Fi in with encryption, which the app needs: they have to trust "
        "this computer once. Or no more."
    ),
    N_("Play this file of RR intervals instead of the built-in recording; - is input."),
    N_("Do the whole path without serving pages, then end."),
    N_("With --once: print one JSON object."),
    N_("0 takes a free one."),
    N_("Folder to write into."),
    N_("Overwrite files that are there."),
    N_("Print JSON."),
    N_("Processes that answer."),
    N_("Address to sign in with."),
    N_("What to call them."),
    N_("Time zone, for example Europe/Berlin."),
    N_(
        "It is your own account, and you agree that Ebbtide keeps your heartbeats, ratings "
        "and notes in this store. Asked where left out; others are asked on the pages."
    ),
    N_("patient, therapist, analyst or administrator."),
    N_("Address of the account; of the only one if left out."),
    N_("Address of the account."),
    N_("How long to listen."),
    N_("Do not connect to ask for battery and features."),
    N_("The strap's address or name; asked for if left out."),
    N_("What to call the strap."),
    N_("Address of the account it belongs to."),
    N_("The strap's address or name."),
    N_("Addresses or names; all paired straps if left out."),
    N_("Only the straps of this patient."),
    N_("Keep the ECG of Polar straps, on this machine only."),
    N_("End by itself."),
    N_("Print one JSON object a second."),
    N_(
        "FIT, text, CSV, EDF, Kubios, Polar or Health export, nights of a watch or ring, a folder "
        "or zip of these; - is input."
    ),
    N_("Go on, and import what is put into the folder."),
    N_("Zone of times that name none; the patient's if left out."),
    N_("When it began, for a file that does not say."),
    N_("Column of the intervals: its name, or place from 1."),
    N_("Unit of the intervals: ms, s, us, 1/1024, 1/256; samples@500 of beats at 500 Hz."),
    N_("Decimal mark of a text file: . or ,"),
    N_("Also intervals that are there already, at another time."),
    N_("remove, with the ID of a recording."),
    N_("Of the recording to remove."),
    N_("Do not ask."),
    N_("File of RR intervals, of any app; - is standard input."),
    N_("Files of one person's RR intervals, with times."),
    N_("Zone the person lives in, as Europe/Berlin."),
    N_("Index of each day, hour or five minutes."),
    N_("Print CSV."),
    N_("Seconds of each window; the whole file if left out."),
    N_("Seconds between windows; the window if left out."),
    N_("Windows as CSV."),
    N_("Windows as Parquet."),
    N_("Write to this file; - is standard output, as if left out."),
    N_("Zone of times that name none, as Europe/Berlin."),
    N_("CSV with a line of column names; - is standard input."),
    N_("Column of who each row is of."),
    N_("Column of numbers, such as stress."),
    N_("Column of numbers, such as pain."),
    N_("Column of days or moments; the order of rows if left out."),
    N_("Codes for a missing value: -99,99 or COLUMN=99; none if all are values."),
    N_("How dates such as 01/09/2026 are written."),
    N_("Whether equal rows are copies (drop) or ratings of their own (keep)."),
    N_("Column of when: numbers or moments."),
    N_("Column of pain."),
    N_("Column of groups."),
    N_("The time that is before; the first if left out."),
    N_("The time that is after; the last if left out."),
    N_("Ends of the scale of pain: 0-10, 0-100."),
    N_("Column of another measure, such as a questionnaire's score; repeat it."),
    N_("A new folder; named by the time if left out."),
    N_("Where the folder named by the time is made."),
    N_("Delete older backups there, so that so many are left."),
    N_("The folder of a backup."),
    N_("Put aside the store that is there."),
    N_("Move everybody off this server; it gets nobody new."),
    N_("Let this server take people again."),
    N_("Do not ask: move."),
    N_("Do not ask where it is not known who was erased since."),
    N_(
        "One of beats, hrv, ratings, sessions, link, heart_rates, scores, prompts, "
        "decision_points, stress_before, gaps, nights."
    ),
    N_("A .csv or .parquet file; - is CSV on standard output."),
    N_("A folder, or s3://bucket/path, gs://bucket/path."),
    N_("Address of an analyst's account; not needed with EBBTIDE_TOKEN."),
    N_("Which table, several times; all if left out. Those that the lake has are always renewed."),
    N_("Into how many parts the people are divided."),
    N_("What is computed: hrv, link or practice."),
    N_("The folder or address that ebbtide lake wrote."),
    N_("Where results go; beside the lake, LAKE-results, if left out."),
    N_("Erase them."),
    N_("A new folder."),
    N_("Processes; as many as there are cores if left out."),
    N_("Use the Dask cluster at this address, such as tcp://host:8786."),
    N_("One of nightly, backup, retention, with its options."),
    N_("Time of the day, in the time zone of this machine (TZ)."),
    N_("Say whether such a job runs and last went well."),
    N_("Put this job into the queue: nightly or retention."),
    N_("Have the failed job of this number tried again."),
    N_("How many jobs at the same time."),
    N_("Print a report without anything of a person, to pass on."),
    N_("Look after the stores."),
    N_("Check questionnaires."),
    N_("Files of questionnaires; those of the setting if left out."),
)
# Of Typer, which takes these from gettext, or leaves them English.
PARSER = (
    N_("Usage: "),
    N_("Arguments"),
    N_("Options"),
    N_("Commands"),
    N_("default: {default}"),
    N_("required"),
    N_("env var: {var}"),
    N_("(dynamic)"),
    N_("Show this message and exit."),
    N_("Aborted!"),
    N_("Missing command."),
    N_("No such command {name!r}."),
)
