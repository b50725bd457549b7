"""Files that hold no beats: what each is, which the sentences of refusals have in a field."""

from __future__ import annotations

from ebbtide.i18n import N_

KINDS = (
    N_("a picture (PNG)"),
    N_("a picture (JPEG)"),
    N_("a picture (GIF)"),
    N_("a PDF"),
    N_("formatted text (RTF)"),
    N_("an older Excel or Word file"),
    N_("compressed (gzip)"),
    N_("an archive (7z)"),
    N_("an archive (RAR)"),
    N_("compressed (bzip2)"),
    N_("compressed (xz)"),
    N_("a MATLAB file"),
    N_("an HDF5 file"),
    N_("a NumPy array"),
    N_("a Parquet file"),
    N_("a BDF file of raw signals"),
    N_("a database (SQLite)"),
    N_("an export of Oura"),
    N_("an export of Samsung Health"),
    N_("heart rates of Fitbit"),
    N_("nightly values of an app"),
    N_("sleep of Fitbit"),
    N_("scores of Oura"),
    N_("an export of Health Auto Export"),
    N_("an export of Fitbit (Google Takeout)"),
    N_("an export of Health Connect"),
    N_("an export of WHOOP"),
    N_("a GPX track"),
    N_("a TCX activity"),
    N_(" of WHOOP"),
    N_(" of HRV4Training"),
    N_(" of Fitbit"),
)
TEXTS = (
    N_("{path} is {what}: nightly values and heart rates, no RR intervals."),
    N_("{path} is the export of a Garmin account."),
    N_("{path} is the export of a Polar account."),
    N_("{path} is a zip of {count} files and no Health export."),
    N_(
        "Unpack it, and the zips in DI_CONNECT/DI-Connect-Uploaded-Files; then import that "
        "folder, which holds the FIT files."
    ),
    N_("Unpack it, and import the files training-session-*.json and ppi_samples_*.json."),
    N_("Unpack it, and import the folder."),
    N_("Unpack it, and import what is in it."),
    N_("Save it as plain text."),
    N_("Save the RR intervals as CSV."),
    N_(
        "Record with a chest strap, in ebbtide or an app that saves RR intervals (Polar "
        "Sensor Logger, HRV Logger, Elite HRV), and import that."
    ),
)
