"""Errors of running Ebbtide: accounts, backups, start, ports, services."""

from __future__ import annotations

from ebbtide.i18n import N_

TEXTS = (
    N_("There is no role {role}."),
    N_("Use one of {value}."),
    N_("{email} has no account here."),
    N_("Make one: ebbtide add-account"),
    N_("{value} is not a command for each day."),
    N_("--at {text} is no time of a day."),
    N_("Write it as 02:30."),
    N_("Dask is not installed."),
    N_('Install it: pip install "ebbtide[cluster]"; in the source folder: uv sync --extra cluster'),
    N_("No Dask scheduler answers at {address}."),
    N_("Start one (dask scheduler), or leave it out."),
    N_("The cluster at {address} has no workers."),
    N_("Start: dask worker."),
    N_("--in and --keep are for backups that are named by the time."),
    N_("Leave out the name of the folder."),
    N_("The settings do not name the servers to move to."),
    N_("Set EBBTIDE_RECORDS_URL and EBBTIDE_INFLUXDB_URL."),
    N_("This Ebbtide runs from a folder that does not last: {prefix}."),
    N_(
        "Install it first (uv tool install, from where this one came), then: ebbtide start "
        "--at-login"
    ),
    N_("Undo: ebbtide start --no-at-login"),
    N_("It is set up, but could not be started now: {value}."),
    N_("ebbtide doctor says why; at the next sign-in it is tried again."),
    N_("{path} cannot be written: {error}."),
    N_("Let this user write there, or set EBBTIDE_DATA_DIR to another folder."),
    N_("{path} cannot be read ({name})."),
    N_("Delete it: a new one is made, and phones have to trust that one."),
    N_("This computer is in no network just now."),
    N_("Connect it, and try again."),
    N_(
        "This computer's address, {address}, is not one of a home network: others on the "
        "internet might reach it."
    ),
    N_("Connect it through a router of your own, and try again."),
    N_("Ebbtide is still starting."),
    N_("Try again in a moment."),
    N_("systemd starts nothing from {value}: its path has a quote or a backslash."),
    N_("Move that folder to another name."),
    N_("The task scheduler would read {word} otherwise than it is written."),
    N_("Install Ebbtide, and keep its data, in folders without % and $( in their names."),
    N_("The path {word} has a control character."),
    N_("Another Ebbtide runs at {url}: of another user, of another folder, or without pages."),
    N_("End it, or choose another port: ebbtide start --port 8430"),
    N_("{folder} is there already; its secrets may be in use."),
    N_("Name another folder, or delete it if no store was ever made with them."),
    N_("Port {metrics_port} cannot be used for metrics: {strerror}."),
    N_("Choose another with EBBTIDE_METRICS_PORT, or leave it out."),
    N_("{host} is no address of this machine."),
    N_("Choose another."),
    N_("Port {port} cannot be used: {strerror}."),
    N_("Choose another, or leave it out."),
    N_("Another program uses port {port} at [::1]."),
    N_("End it, or choose another port."),
    N_("Another program uses port {port}."),
    N_("End it, or choose another: ebbtide start --port {value}"),
    N_("There is no job {number} that failed."),
    N_("ebbtide jobs lists those there are."),
    N_("The API did not start."),
    N_("See the messages above."),
)
