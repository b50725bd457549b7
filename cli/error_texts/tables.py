"""Errors of tables, of HRV from files, and of exports."""

from __future__ import annotations

from ebbtide.i18n import N_

TEXTS = (
    N_("The first line must name the columns."),
    N_("{path} has two columns {twice}."),
    N_("Give each its own name."),
    N_("{path} has a header and no rows."),
    N_("Give it rows."),
    N_("{path} has no column {column}."),
    N_("It has: {columns}. Case counts."),
    N_("{path}, line {value}: no {what} in column {column}."),
    N_("{path}, line {value}, column {column}: {value2} is no number."),
    N_("Correct it, or leave it empty if it was not measured."),
    N_(
        "{path}, column {column}: numbers with a decimal comma ({comma}) and with a decimal "
        "point ({point})."
    ),
    N_("Write them all one way."),
    N_("{path}: no row has {column} {moment}."),
    N_("Check --before, --after."),
    N_("{path}, line {at}: subject {value} has several rows at {column} {moment}."),
    N_("Keep one row for each subject and time."),
    N_("{path} is no table: line {line_num}: {error}."),
    N_("Check that line."),
    N_("{path}, column {column}: {grouped} may be {value} or {value2}."),
    N_(
        "Say which mark the decimals have: --decimal , or --decimal . (or write the numbers "
        "without marks of thousands)."
    ),
    N_("{path}, line {value}: subject {name} has several rows at its first or last time."),
    N_("{path} is no table: line {line_num} has {value} fields, its header {value2}."),
    N_("Give every line as many."),
    N_("Column {column} holds {value} beside {value2}: a code for a missing value, or a group?"),
    N_("Leave these cells empty where no group is meant, or rename the group."),
    N_("{name} is neither .csv nor .parquet."),
    N_("Choose such a name."),
    N_("--json and the table would both be standard output."),
    N_("The API did not give it: {error}"),
    N_("Is it running?"),
    N_("{file} is there and is no Data Package."),
    N_("Choose another folder, or move it."),
    N_("--{value} and --{value2} at once."),
    N_("Choose one."),
    N_("--csv, --parquet and --step are for windows."),
    N_("Add --window 300."),
    N_("Parquet is not text."),
    N_("Name a file: --output windows.parquet"),
    N_("{output} cannot be written: {value}."),
    N_("Choose another file."),
    N_("Column {column} holds {names}: a code for a missing value, or a value?"),
    N_(
        "If it is a code: --missing {option}. If it is a value: --missing none. For one "
        "column only: --missing {column}={value}."
    ),
    N_("--scale {text} is no scale."),
    N_("Write --scale 0-10 or --scale 0-100."),
    N_("Line {value}, column {column}: {value2} is off {name}."),
    N_(
        "Correct it; or say --missing {value} if it means that none was given, or --scale "
        "LOW-HIGH for the scale."
    ),
    N_("--missing {text}: {code} is no number."),
    N_("Give codes with commas between, such as --missing -99,99; or --missing none."),
    N_("{file}: column {time} holds one time only of each subject."),
    N_("Outcomes need a before and an after."),
    N_("{file}: column {time} holds one time only."),
    N_(
        "{path}, line {value}, column {group}: subject {value2} is in {name} here and in "
        "{value22} before."
    ),
    N_("A subject belongs to one group."),
    N_(
        "{path}: {value} rows are the same as another one (the first: line {value2}). They "
        "can be copies, or ratings that happen to be equal."
    ),
    N_("Say --repeated drop or --repeated keep; or give --time a column with the time of day."),
    N_("--json and --csv at once."),
    N_("The index compares hours of the day, and files name moments."),
    N_("Say where the person lives: --zone Europe/Berlin"),
    N_("The files hold no RR interval."),
    N_("Check them."),
    N_(
        "The files have beats in {value} windows of five minutes; at most {max_windows} are "
        "judged at once."
    ),
    N_("Give fewer files."),
    N_("{file} does not say when it was recorded, and the index compares hours of days."),
    N_("Give files with times, or import it with --start (ebbtide import)."),
    N_("{path}, column {column}: holds dates such as {value}, {why}."),
    N_("Say which: --dates day-first or --dates month-first; or write 2026-11-24."),
    N_("{path}, line {value}, column {column}: {value2} is no time."),
    N_("Write 2026-11-24T08:30, or a number (days), in every row."),
    N_("{path}, column {column}: {span} days from first to last."),
    N_(
        "Numbers are taken for days. Write moments: 2026-11-24T08:30; or seconds, "
        "milliseconds, microseconds or nanoseconds since 1970, in every row."
    ),
    N_("{path}, line {value}, column {column}: {word} is no time among moments."),
    N_("Write every row the same way: days, or moments such as 2026-11-24T08:30."),
    N_("Nobody is named whose account it is."),
    N_("Give --email, or a token of the page Research in EBBTIDE_TOKEN."),
    N_("{error} {gone} files that the lake had were deleted."),
    N_("Run it again when more people agree."),
    N_("{address} is a lake of another version of Ebbtide."),
    N_("Name a new folder."),
    N_("{address} is the lake of another account, whose pseudonyms are others."),
    N_("Name a folder of your own."),
    N_("{address} has {value} buckets, and not {buckets}."),
    N_("Use: --buckets {value}, or name a new folder."),
    N_(
        "Name a folder, s3://bucket/path or gs://bucket/path; for other stores install "
        "fsspec and the store's package beside it."
    ),
    N_("Check the address and what may open it."),
    N_("{address} holds other files and no lake of Ebbtide."),
    N_("Name an empty folder."),
    N_("{name} cannot be written to {address}: {error}."),
    N_("Let this user write there, or free some space."),
    N_("{address} names no bucket."),
    N_("Name a folder, s3://bucket/path or gs://bucket/path."),
    N_("Another run writes into {address}."),
    N_("Run it again when that has ended."),
    N_("{address} is a file, and no folder."),
    N_("{address} is neither a folder nor the address of a store."),
    N_("Write the address of a store with two slashes: s3://bucket/path."),
    N_("{state} in {address} is not as Ebbtide writes it."),
    N_("Name a new folder, and delete this lake: its rows can no longer be renewed."),
    N_("Rows cannot be held in {folder}: {error}."),
    N_("Free some space, or for an object store name another folder in TMPDIR."),
    N_("The API does not take the token in EBBTIDE_TOKEN: {error}"),
    N_("Make another on the page Research, and put it into EBBTIDE_TOKEN."),
    N_("The API ended the sign-in: {error}"),
    N_("Run it again and sign in."),
    N_("The API refused the sign-in: {error}"),
    N_("Check the address and the password."),
    N_("The token in EBBTIDE_TOKEN may not do this: {error}"),
    N_("Make a token for it on the page Research, signed in as an analyst."),
    N_("This account may not do this: {error}"),
    N_("Sign in with an account that may."),
    N_("The API refused it for now: {error}"),
    N_("Wait, and run it again."),
    N_("The API refused it: {error}"),
    N_("Check EBBTIDE_API_URL, and whether this program and the API are of one version."),
    N_("{address} holds no lake of Ebbtide."),
    N_("Write one: ebbtide lake FOLDER"),
    N_("Write it anew with this one: ebbtide lake FOLDER"),
    N_("{address} has no whole table {table}: it was never written, or its writing was stopped."),
    N_("Write it: ebbtide lake FOLDER --table {table}"),
    N_("{address} holds other files and no results of ebbtide cohort."),
    N_("Name another folder: --out FOLDER"),
    N_("{lake} was renewed while this ran: its results would mix two states."),
    N_("Run it again."),
    N_("No part of the lake can be used: {partition}: {why}."),
    N_("Write it anew: ebbtide lake FOLDER"),
    N_("Nobody in the lake has a result: {person}: {why}."),
    N_("Wait for more data."),
    N_("The table {table} of {address} has no rows."),
    N_("Write it anew once people have such data: ebbtide lake FOLDER"),
    N_("The workers at {scheduler} have Ebbtide {versions}; this is {version}."),
    N_("Install the same version there."),
)
