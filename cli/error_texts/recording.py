"""Errors of straps, recording, outbox, sign-ins and imports."""

from __future__ import annotations

from ebbtide.i18n import N_

TEXTS = (
    N_("{url} is not encrypted: on the way to {host} others could read the beats."),
    N_("Use https://{value}, or an address of your own network."),
    N_("'{zone}' is not a time zone."),
    N_("Use a name such as Europe/Berlin or America/Denver."),
    N_("The outbox {path} cannot be opened: {error}."),
    N_("Check that the folder can be written and that the disk has room."),
    N_(
        "The API has {through} notifications of stream {stream_id}, this outbox only "
        "{last_sequence}."
    ),
    N_("The outbox file looks like an old copy. Move it aside and start again."),
    N_(
        "The API is missing notifications after {acknowledged} of stream {stream_id} that "
        "this outbox has already let go."
    ),
    N_("Its store was set back, perhaps from a backup. Nothing more is deleted here."),
    N_("Bluetooth cannot be used here: {value}."),
    N_("ebbtide doctor says what is wrong. To try Ebbtide without a strap: ebbtide demo."),
    N_("The ECG file {path} cannot be written: {value}."),
    N_("Check the folder, or record without --ecg."),
    N_("Another strap is called '{name}' already."),
    N_("Choose another with --name."),
    N_("The list of straps {path} cannot be read ({error})."),
    N_("Move it aside and pair the straps again: ebbtide pair"),
    N_("The list of straps {path} cannot be written: {value}."),
    N_("Check that the folder can be written."),
    N_(
        "If it really is another recording, give --again. If its time was wrong before: "
        "ebbtide recordings remove {stream_id}"
    ),
    N_("--start is for one file."),
    N_("Import the files one by one."),
    N_("{value} is of one file, and --watch of all that come."),
    N_("Leave one of them out."),
    N_("{folder} is no folder."),
    N_("Name the folder that is to be watched."),
    N_("Nights do not wait here: import the file again, which doubles nothing."),
    N_("The folder {path} holds no recording ({value})."),
    N_("Name the files."),
    N_("No paired strap is called '{strap}'."),
    N_("See: ebbtide status"),
    N_("{name} was heard but did not answer: {trouble}."),
    N_(
        "Take it off other phones and watches, wet it, wear it, and try again. If it was "
        "paired before, remove it in the system's Bluetooth settings."
    ),
    N_("{name} has no heart rate."),
    N_("Choose another device."),
    N_("{address} was not heard."),
    N_("Nothing to pair."),
    N_("{value} straps were heard."),
    N_("Say which: ebbtide pair ADDRESS-OR-NAME"),
    N_("There is no strap {wanted}."),
    N_("Another ebbtide record is running with this data folder."),
    N_("Two would keep each beat twice. End the other one, or see: ebbtide status"),
    N_("No strap is paired yet."),
    N_("Use: ebbtide pair"),
    N_("remove needs the ID of a recording."),
    N_("ebbtide recordings"),
    N_("{email} has no recording {stream_id}."),
    N_("List them: ebbtide recordings"),
    N_("Nothing was removed: removing from the store needs a password."),
    N_(
        "Where the account has none yet: ebbtide set-password {email}. What came from a file "
        "can be removed on the page Bring in a file, without."
    ),
    N_("{email} is not signed in here."),
    N_("Use: ebbtide sign-in {email}"),
    N_("This machine is not signed in."),
    N_("Use: ebbtide sign-in YOUR-ADDRESS"),
    N_("The sign-ins in {path} cannot be read."),
    N_("{value} people are signed in here."),
    N_("Say whose it is: --patient {email}"),
    N_("{path} cannot be written: {value}."),
    N_("Let this user write there."),
    N_("The sign-in cannot be kept in {path}: {value}."),
    N_("Check that the folder can be written, or set EBBTIDE_DATA_DIR to another one."),
    N_("Name a file in it."),
    N_("{path} is there already."),
    N_("Choose another name, or give --force to overwrite it."),
)
