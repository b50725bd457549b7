"""The commands: where the function of each is, and its help.

``ebbtide --help`` lists them by this table and imports none of their modules; a command that is
called imports its own. The help is the docstring of the function, on one line a paragraph:
``tests/cli/test_main.py`` compares the two.
"""

from __future__ import annotations

from ebbtide.i18n import N_

# What is typed, in the order of --help, and the function that it calls.
COMMANDS = {
    "start": "cli.server.start:start",
    "demo": "cli.demo.run:demo",
    "sample": "cli.demo.sample:sample",
    "serve": "cli.server.serve:serve",
    "dashboard": "cli.server.serve:dashboard",
    "add-patient": "cli.admin.accounts:add_patient",
    "add-account": "cli.admin.accounts:add_account",
    "set-password": "cli.admin.accounts:set_password",
    "remove-second-factors": "cli.admin.accounts:remove_second_factors",
    "sign-in": "cli.admin.accounts:sign_in",
    "scan": "cli.straps.scan:scan",
    "pair": "cli.straps.pair:pair",
    "unpair": "cli.straps.pair:unpair",
    "record": "cli.straps.record:record",
    "import": "cli.straps.import_files:import_files",
    "recordings": "cli.straps.recordings:recordings",
    "hrv": "cli.analysis.hrv:hrv",
    "clean": "cli.analysis.hrv:clean",
    "stress": "cli.analysis.stress:stress",
    "link": "cli.analysis.link:link",
    "outcomes": "cli.analysis.outcomes:outcomes",
    "questionnaires check": "cli.analysis.questionnaires:check",
    "store check": "cli.admin.store:check",
    "store try-backup": "cli.admin.try_backup:try_backup",
    "store servers": "cli.admin.beat_servers:servers",
    "store rebalance": "cli.admin.beat_servers:rebalance",
    "backup": "cli.admin.store:backup",
    "restore": "cli.admin.store:restore",
    "move": "cli.admin.store:move",
    "erase": "cli.admin.erase:erase",
    "export": "cli.analysis.export:export",
    "lake": "cli.analysis.lake:lake",
    "cohort": "cli.analysis.cohort.command:cohort",
    "retention": "cli.admin.erase:retention",
    "secrets": "cli.server.secrets:secrets",
    "nightly": "cli.admin.nightly:nightly",
    "daily": "cli.admin.daily:daily",
    "jobs": "cli.admin.jobs:jobs",
    "worker": "cli.admin.jobs:worker",
    "status": "cli.straps.status:status",
    "doctor": "cli.straps.doctor:doctor",
}

SUMMARIES = {
    "start": N_("Run everything for your own computer, and open the pages. Begin here."),
    "demo": N_("Try it all: a simulated strap, a sample clinic, the API and the pages."),
    "sample": N_(
        "Write a simulated recording and simulated tables to try the other commands with."
    ),
    "serve": N_("Run the API."),
    "dashboard": N_("Run the pages. They ask the API at EBBTIDE_API_URL."),
    "add-patient": N_("Make a patient's account in the store. Asks for the password."),
    "add-account": N_(
        "Make an account of any role in the store, such as the first administrator's, who "
        "then invites the others. Asks for the password."
    ),
    "set-password": N_(
        "Set the password of an account in the store, on the machine that has it, also "
        "where the old one is forgotten. Asks for it.\n\n"
        "All that was signed in ends, and the person's access log says that the operator "
        "did it."
    ),
    "remove-second-factors": N_(
        "Remove the passkeys, codes of an app and recovery codes of an account in the "
        "store, after a loss, on the machine that has it. The password is enough then.\n\n"
        "All that was signed in ends, and the person's access log says that the operator "
        "did it."
    ),
    "sign-in": N_("Sign this machine in, so that it can record for you. Asks for the password."),
    "scan": N_("List heart-rate straps nearby: signal, battery, what each can give."),
    "pair": N_("Choose a strap, tie it to a patient, and remember it."),
    "unpair": N_("Forget a strap. What it recorded stays."),
    "record": N_("Record until Ctrl-C, for days. Beats are kept on disk first, then uploaded."),
    "import": N_(
        "Import recordings and nights of other devices and apps. Importing twice adds nothing."
    ),
    "recordings": N_(
        "List your recordings and imports, or remove one: ebbtide recordings remove ID"
    ),
    "hrv": N_("HRV figures of a file, or of windows over it; each only where it means something."),
    "clean": N_("Which beats of a file are normal, missed, extra, long, short or ectopic."),
    "stress": N_(
        "Stress index: heart rate against the person's own usual of the hour, from the third day."
    ),
    "link": N_("Whether y moved with x within people, beyond the course that both share."),
    "outcomes": N_("Change, responders and effect sizes of a treatment, by group."),
    "questionnaires check": N_(
        "Read the files of questionnaires, and say what is in them or what is wrong."
    ),
    "store check": N_(
        "Check that all can be read, that no beat is stored twice, and that each has its person."
    ),
    "store try-backup": N_(
        "Put a backup into a folder of its own, read all of it there, and delete that folder "
        "again. The store is left as it is."
    ),
    "store servers": N_(
        "List the InfluxDB servers: who answers, takes new people, and how many each has."
    ),
    "store rebalance": N_(
        "Show who would move between InfluxDB servers, so that each has as many beats; move them "
        "once you agree. It goes on where it stopped."
    ),
    "backup": N_("Copy everything, while it is in use."),
    "restore": N_(
        "Put a backup in the place of the store, or into empty servers. Who was erased since "
        "it was made is erased from it again."
    ),
    "move": N_("Move the embedded store to InfluxDB and PostgreSQL; goes on where it stopped."),
    "erase": N_(
        "Remove everything of a person from the store, prove it, and name copies that may be left."
    ),
    "export": N_(
        "Write one of your tables into a file, and what its columns mean into "
        "datapackage.json beside it. Asks for the password."
    ),
    "lake": N_(
        "Write the tables of everybody who agreed to research into a data lake of Parquet, or "
        "renew what is there: what was erased or taken back goes. Asks for the password, or takes "
        "the token in EBBTIDE_TOKEN."
    ),
    "cohort": N_(
        "Compute HRV, links or practice by lot of everybody in a data lake, on all cores or a "
        "cluster.\n\n"
        "Results are Parquet, a row each window or person, and one of all people together; earlier "
        "ones of the same kind are replaced."
    ),
    "retention": N_(
        "List whose data may not be kept any longer: consent taken back or over, or long silent."
    ),
    "secrets": N_("Make the passwords that the compose file of a clinic reads."),
    "nightly": N_(
        "Bring every patient's windows and report up to date; goes on where it was stopped."
    ),
    "daily": N_(
        "Run a command of this program once a day, and again an hour later where it failed."
    ),
    "jobs": N_(
        "List the jobs that wait, run or failed, on whichever machine; start or retry one.\n\n"
        "An embedded store has no queue: what is started there is done at once, in this process."
    ),
    "worker": N_(
        "Work at the queue of jobs until Ctrl-C, beside the API or on a machine of its own."
    ),
    "status": N_("What is paired, what is kept, and what waits for upload."),
    "doctor": N_("Look at Bluetooth, disk, clock and server: what is wrong, and how to mend it."),
}
