"""What others say of data, a machine or a store, and commands print, for the catalogue.

The sentences stand in English where they are made, with names and numbers in them; here they have
fields in their place. ``cli.language.say_result`` finds them again, and
``tests/cli/test_result_texts.py`` finds what is not listed.
"""

from __future__ import annotations

from ebbtide.i18n import N_, heart_texts

# Checks of ``ebbtide doctor``: what is looked at, what was found, and what to do.
_CHECKS = (
    N_("Bluetooth adapter"),
    N_("Bluetooth switch"),
    N_("Clock"),
    N_("Connection interval"),
    N_("Connection interval of {adapter}"),
    N_("Connections of {strap}"),
    N_("Disk"),
    N_("Outbox"),
    N_("InfluxDB server {name}"),
    N_("Outbox and store of {email}"),
    N_("Phones with encryption"),
    N_("Server {url} for {email}"),
    N_("Sign-in"),
    N_("Start at sign-in"),
    N_("Use the switch."),
    N_("Agree on the page Consents. What is recorded stays here, and goes up by itself then."),
    N_("Check the server and the sign-in below; ebbtide record uploads."),
    N_("Check who owns it, or set EBBTIDE_DATA_DIR to another folder."),
    N_("Delete {path}, start Ebbtide again, and let phones trust the new one."),
    N_("Each beat is flushed to the disk. A slow SD card still keeps up with some straps."),
    N_("It was set back. ebbtide record, or import of any file, sends them again."),
    N_("Let the clock be set by network time: sudo timedatectl set-ntp true"),
    N_("Make room: recording stops when it is full."),
    N_("Move it aside; sqlite3 FILE .recover saves what can be saved."),
    N_(
        "Plug in a Bluetooth 4.0 (or newer) USB adapter; dmesg | grep -i bluetooth says "
        "whether the kernel knows it."
    ),
    N_("Recordings of files can be imported again; those of straps have a gap there."),
    N_("See: systemctl status bluetooth, and bluetoothctl show"),
    N_("Set the clock."),
    N_("Switch Bluetooth on, and allow this terminal to use it in the privacy settings."),
    N_("Take it off other devices; then: bluetoothctl remove ADDRESS, and ebbtide pair"),
    N_("The Bluetooth daemon does not run: sudo systemctl enable --now bluetooth"),
    N_("The adapter is off: bluetoothctl power on"),
    N_("The whole log: {path}. Once that is mended: ebbtide start --at-login"),
    N_(
        "There is no system D-Bus here: install and start dbus and bluez. In a container,"
        " mount /run/dbus/system_bus_socket."
    ),
    N_("Until the next start of the machine: {command}  (docs/guides/straps.md: for good)"),
    N_("What this machine held is deleted."),
    N_("You may not use Bluetooth: sudo usermod -aG bluetooth $USER, then sign in anew."),
    N_("answers"),
    N_("answers, and the clocks agree"),
    N_("the client of InfluxDB is not installed"),
    N_("In the source folder: uv sync --extra clinic"),
    N_("The InfluxDB server {name} does not answer."),
    N_("InfluxDB does not answer ({name})."),
    N_("It is not in the settings."),
    N_("points of {subject} on {server}, who is on another server"),
    N_("answers, but this machine's clock is {seconds} s ahead"),
    N_("answers, but this machine's clock is {seconds} s behind"),
    N_("chmod 600 {path}, or delete it: then phones trust a new one."),
    N_("ebbtide sign-in YOUR-ADDRESS"),
    N_("empty: nothing was recorded yet"),
    N_("it shows a year that cannot be"),
    N_("its last error, at {time}: {what}"),
    N_("nobody is signed in here"),
    N_("nothing seems to set it by network time"),
    N_("other users of this computer can read the key that phones trust"),
    N_("phones can trust it for {days_left} days"),
    N_("set by network time ({system})"),
    N_("set up; its log, {path}, has no error since it began"),
    N_("sudo ebbtide doctor reads them."),
    N_("sudo timedatectl set-ntp true (or chrony, or ntpd)"),
    N_("takes nothing new: it waits for consent to keeping"),
    N_("the kernel's limits can be read by root only"),
    N_("the server has acknowledged {here} beats and has {there} of them ({missing} are missing)"),
    N_("this machine has none, or its driver is not loaded"),
    N_("what phones trust ends in {days_left} days"),
    N_("whole; {waiting} beats wait for upload"),
    N_("works; heart-rate straps heard in 3 s: {count}"),
    N_(
        "{count} of the last 10 ended within 10 s: the strap may want to be paired with "
        "this machine, or is held by a phone"
    ),
    N_(
        "{count} of the last ones ended after exactly 30 or 150 s: the kernel rejects the"
        " connection interval that the strap asks for"
    ),
    N_("{folder} cannot be written: {why}"),
    N_("{free} GB free in {folder}, a flush takes {flush} ms"),
    N_("{lost} beats were lost when the server was set back to an old backup"),
    N_("{name} is off {how}"),
    N_("{smallest} to {largest} ms"),
    N_("{smallest} to {largest} ms: Polar straps ask for up to 500 ms and may be dropped for it"),
    N_("{path} is damaged: {what}"),
    N_("{here} beats acknowledged, and {there} stored"),
    N_("{waiting} beats wait for upload, some for more than a day"),
)

# The line of a recording, straps, and what became of a notification.
_STRAPS = (
    N_("fair"),
    N_("fair: see the note on its intervals"),
    N_("good"),
    N_("heart rate without RR: no variability from this strap"),
    N_("heart rate, but no RR just now: wet the electrodes"),
    N_("no signal"),
    N_("no skin contact: wet the electrodes"),
    N_("not known yet"),
    N_("poor: its intervals do not fit the clock"),
    N_("poor: many beats disturbed"),
    N_("looking for it"),
    N_("connecting"),
    N_("connected"),
    N_("connected but silent: reconnecting"),
    N_("link lost"),
    N_("in trouble"),
    N_("heart rate"),
    N_("pulse intervals"),
    N_("acceleration"),
    N_("malformed"),
    N_("repeated"),
    N_("strap"),
    N_("file"),
    N_("simulated"),
)

# Why ``ebbtide cohort`` leaves a person or a part of the lake out.
_LEFT_OUT = (
    N_("no beats"),
    N_("no beats that could be read"),
    N_("no ratings"),
    N_("no draws"),
    N_("nothing was drawn yet"),
    N_("{partition} cannot be read, and may have rows of this person"),
    N_("it has no column {columns}: another version of Ebbtide wrote it"),
    N_("each worker that worked on this group ended"),
    N_("its beats are not in order of time"),
    N_("more than {count} beats in a day"),
)

# Tables that were read by ``ebbtide link`` and ``outcomes``.
_TABLES = (
    N_("Moving together does not show that one brings the other."),
    N_(
        "Rows seem to be missing when both were high: those beside a gap are higher than "
        "the others. That makes a link look weaker, or opposite, than it is."
    ),
    N_(
        "Without --time the order of rows counts as time, evenly spaced: what is said of "
        "courses and of autocorrelation is only as good as that."
    ),
    N_("cannot tell whether {y} moved with {x}"),
    N_("not enough yet to say whether {y} moved with {x}: {why}"),
    N_("{y} and {x} moved together"),
    N_("{y} and {x} moved opposite ways"),
    N_("{y} and {x} moved together, but moments that they share could make it"),
    N_("{y} and {x} moved opposite ways, but moments that they share could make it"),
    N_(
        "{count} of at least {least} people with {ratings} ratings or more that go up and"
        " down by themselves"
    ),
    N_("too few pairs for their subjects"),
    N_("one of the two never changes within a subject"),
    N_("{dof} degrees of freedom after taking out each one's course; 10 are needed"),
    N_("no ups and downs besides the course"),
    N_(
        "{count} subjects have fewer than {rows} rows: no more than a straight line could"
        " be taken out of theirs."
    ),
    N_(
        "{count} rows share their time with another one of their subject: in which order "
        "they came is not known."
    ),
    N_("{count} row has {x} or {y} alone, and could not be used."),
    N_("{count} rows have {x} or {y} alone, and could not be used."),
    N_("{time} is read as {read_as}; its hours are those of UTC."),
    N_("{count} rows repeat another one (subject, time and values are the same) and were dropped."),
    N_("Before and after are each subject's own first and last date."),
    N_("Shares of less pain count from {value}, the scale's end for no pain."),
    N_("{absent} of {all} subjects have no {pain} {label} ({time} {moment})."),
    N_("{time} is read as {read_as}."),
    N_("{count} rows repeat another one and were dropped."),
    N_("before"),
    N_("after"),
    N_("the scale is not certain; give --scale 0-10 or --scale 0-100"),
    N_("{column}: {count} taken as missing ({parts})"),
    N_(
        "{column}: {named} far from all other values ({low} to {high}): if that is a "
        "slip, correct it, or leave it out with --missing {value}."
    ),
    N_(
        "{column}: {names} differ in case or spaces only, and are taken as different: "
        "make them the same if they are one."
    ),
)

# What is wrong with a store, and what is left to do after erasing.
_STORES = (
    N_("blocks of {stream}, which is no stream"),
    N_("stream {stream} belongs to nobody"),
    N_("stream {stream} is of somebody who was erased"),
    N_("stream {stream}: {missing} are not here yet"),
    N_("stream {stream}: beats out of order at {time}"),
    N_("stream {stream}: {count} beats, and not {beats}"),
    N_("{count} gaps end before they start"),
    N_("{file} cannot be read: {error}"),
    N_("{name} does not hold what it says"),
    N_("{name}: beats out of order, or twice"),
    N_("{name}: its beats are not in the time it says"),
    N_("{name}: its heart rates are not in the time it says"),
    N_("{name}: some of it is there twice"),
    N_("{count} ratings have no newest version, or several"),
    N_("{count} rows of {table} belong to no stream"),
    N_("{count} rows of {table} belong to nobody"),
    N_(
        "Deleted, but not overwritten in the files yet ({name}: {why}). The service tries"
        " it again every minute and at its start."
    ),
    N_(
        "Table {name} of PostgreSQL is too large to be written anew while it is used: its"
        " free space may hold deleted rows until it is used again, or until VACUUM FULL "
        "{table}."
    ),
    N_("Ebbtide's user does not own {tables} in PostgreSQL: VACUUM FULL them as their owner."),
    N_(
        "PostgreSQL's statistics may hold frequent values of before: VACUUM FULL "
        "pg_statistic, as the owner of the database."
    ),
    N_(
        "Ebbtide may not call {statement} on PostgreSQL ({right}): its write-ahead log "
        "holds deleted rows until its next checkpoints."
    ),
    N_(
        "PostgreSQL uses segments of its write-ahead log again (wal_recycle = on): "
        "deleted rows can be in pg_wal until those are written over. With wal_recycle = "
        "off, they are removed."
    ),
    N_("PostgreSQL's archive of its write-ahead log holds deleted rows."),
    N_("{slots} replication slots of PostgreSQL hold its write-ahead log until it is read."),
    N_("consent to keeping was taken back"),
    N_("the time they agreed to is over"),
    N_("nothing new for {days} days"),
    N_("it is not running"),
    N_("the process that worked at it ended before it was done"),
    N_("The analysis did not go well ({kind}). ebbtide nightly says more of it."),
    N_("An error of the kind {kind}."),
    N_("the run of {time} ended with status {status}"),
)

_SWITCHES = (N_("by software"), N_("by a switch"))

RESULTS = (*_CHECKS, *_SWITCHES, *_STRAPS, *_LEFT_OUT, *_TABLES, *heart_texts.MISSING, *_STORES)
# What a field of these may hold; others hold names, which are the same in every language.
FIELDS = (*_TABLES, *_SWITCHES)
