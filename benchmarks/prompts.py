"""A year of prompts on a clock of its own, on PostgreSQL; of its workers one is killed every day.

    python -m benchmarks.prompts --people 1000 --days 365 --workers 2

Each worker is a process. Every simulated day it sends what is due, step by step; once a day one of
them is killed (SIGKILL) at a random moment, also in the middle of sending, and started again. What
is sent is appended to a file by the played way, before it tells that it was: whatever is twice in
it was sent twice. At the end every planned prompt is either sent or says why not, and every moment
of practice by lot is either drawn, once and as it was committed to, or says why not.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from analytics.programme.prompt_plan import DayHours, PromptPlan
from api.services.offers.log import load_log
from api.services.offers.plans import OfferWish, agree
from api.services.reminders.plans import change_plan
from api.services.reminders.scheduler import run_due
from api.services.reminders.ways import Message
from ebbtide.beats import new_id
from ebbtide.settings import Settings
from ebbtide.timestamps import DAY, MINUTE, SECOND
from store import Stores, open_stores
from store.models import Consent, Person, Programme, PromptState, Purpose, ReminderPlan, Role
from store.sql.tables.prompts import PromptRow
from tests.support.postgres import postgres_bin, started

START = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * SECOND
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")


class FileWay:
    """Notes what is sent in a file of the worker, at once, and then says that it was."""

    def __init__(self, name: str, folder: Path, wants: str) -> None:
        self.name = name
        self._file = os.open(folder / f"sent-{os.getpid()}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._wants = wants

    def is_set_up(self, plan: ReminderPlan) -> bool:
        """Half of the people have pushes, the others mail."""
        return plan.mail if self.name == "mail" else not plan.mail

    def send(self, message: Message) -> bool:
        """Note it."""
        os.write(self._file, f"{self.name} {message.prompt.id}\n".encode())
        return True


def work(url: str, folder: Path, now: Any, done: Any, number: int) -> None:
    """Send what is due at the simulated time until killed; tell which time was worked through."""
    os.environ["EBBTIDE_RECORDS_URL"] = url
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    opened = open_stores(Settings(data_dir=folder))
    at = {"ns": 0}
    stores = replace(opened, now=lambda: at["ns"])
    ways = [FileWay("push", folder, "push"), FileWay("mail", folder, "mail")]
    while True:
        current = now.value
        if current == done[number]:
            time.sleep(0.0005)
            continue
        at["ns"] = current
        run_due(stores, ways, most=10**6)
        done[number] = current


def people(stores: Stores, count: int) -> None:
    """People with plans of several kinds in three zones; every second one has mail."""
    choose = random.Random(26)
    for number in range(count):
        person = Person(
            *(new_id(), new_id(), f"{number}@example.org", "a", ZONES[number % 3], Role.PATIENT),
            *(True, "", START),
        )
        stores.records.add_person(person)
        stores.records.add_consent(Consent(person.id, Purpose.KEEPING, True, "1", START))
        plan = PromptPlan(
            (DayHours(480, 1260),) * 7,
            random_a_day=choose.choice([1, 2, 3]),
            fixed_min=choose.choice([(), (), (720,)]),
        )
        change_plan(stores, person, lambda _, plan=plan: plan, mail=number % 2 == 0)  # type: ignore[misc]
        stores.programme.put_programme(Programme(person.id, START, START))
        agree(stores, person, OfferWish(first_days=1))


def run(count: int, days: int, workers: int, step_min: int, seed: int) -> dict[str, Any]:
    """Run it, and count."""
    binaries = postgres_bin()
    if binaries is None:
        raise SystemExit("PostgreSQL is not installed (Debian: apt install postgresql).")
    choose = random.Random(seed)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ebbtide-prompts-") as name:
        folder = Path(name)
        server = started(Path(tempfile.mkdtemp(prefix="ebbtide-pg-", dir="/tmp")), binaries)
        try:
            url = server.fresh_database()
            os.environ["EBBTIDE_RECORDS_URL"] = url
            stores = replace(open_stores(Settings(data_dir=folder)), now=lambda: START)
            people(stores, count)
            # Committed is committed; that the disk has it too is PostgreSQL's, not what is tried.
            with stores.engine.connect() as db:
                db.exec_driver_sql("COMMIT")
            found = _drive(url, folder, days, workers, step_min, choose)
            found |= _count(stores, folder, START + days * DAY)
            found |= _count_moments(stores, START + days * DAY)
            stores.close()
        finally:
            server.stop()
    return {
        "people": count,
        "days": days,
        "workers": workers,
        "step_min": step_min,
        **found,
        "seconds": round(time.monotonic() - begun),
    }


def _drive(
    url: str, folder: Path, days: int, workers: int, step_min: int, choose: random.Random
) -> dict[str, Any]:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.prompts", "psycopg", "store.factory"])
    now, done = context.Value("q", START), context.Array("q", [0] * workers)

    def begin(number: int) -> Any:
        process = context.Process(target=work, args=(url, folder, now, done, number), daemon=True)
        process.start()
        return process

    running = [begin(number) for number in range(workers)]
    kills, at = 0, START
    for day in range(days):
        # One of the workers, while it works: after so many milliseconds of a step of the daytime.
        hour = 60 // step_min
        kill_step = choose.randrange(7 * hour, 21 * hour)
        for step in range(DAY // MINUTE // step_min):
            at += step_min * MINUTE
            now.value = at
            if step == kill_step:
                victim = choose.randrange(workers)
                time.sleep(choose.random() * 0.05)
                running[victim].kill()
                running[victim].join()
                done[victim] = 0
                kills += 1
                running[victim] = begin(victim)
            while any(item != at for item in done):
                time.sleep(0.0005)
                for number, process in enumerate(running):
                    if not process.is_alive():
                        raise SystemExit(f"Worker {number} ended by itself ({process.exitcode}).")
        if sys.stderr.isatty():
            print(f"\rday {day + 1} of {days}", end="", file=sys.stderr)
    for process in running:
        process.kill()
        process.join()
    return {"kills": kills}


def _count(stores: Stores, folder: Path, end_ns: int) -> dict[str, Any]:
    sent = Counter(line for path in folder.glob("sent-*") for line in path.read_text().splitlines())
    with stores.engine.connect() as db:
        before_end = PromptRow.planned_ns < end_ns - 60 * MINUTE
        planned = db.scalar(select(func.count()).select_from(PromptRow).where(before_end))
        of_state = dict(
            db.execute(
                select(PromptRow.state, func.count()).where(before_end).group_by(PromptRow.state)
            ).all()
        )
        reasons = dict(
            db.execute(
                select(PromptRow.skip_reason, func.count())
                .where(before_end, PromptRow.state == str(PromptState.SKIPPED))
                .group_by(PromptRow.skip_reason)
            ).all()
        )
        late = db.scalar(
            select(func.max(PromptRow.sent_ns - PromptRow.planned_ns)).where(before_end)
        )
    return {
        "planned": planned,
        "sent": of_state.get("sent", 0),
        "said_why_not": sum(count for reason, count in reasons.items() if reason),
        "left_open": (planned or 0) - of_state.get("sent", 0) - of_state.get("skipped", 0),
        "reasons": reasons,
        "mails_twice": sum(c > 1 for line, c in sent.items() if line.startswith("mail")),
        "pushes_posted_again": sum(c > 1 for line, c in sent.items() if line.startswith("push")),
        "latest_min": None if late is None else round(late / MINUTE, 1),
    }


def _count_moments(stores: Stores, end_ns: int) -> dict[str, Any]:
    at_end = replace(stores, now=lambda: end_ns)
    drawn = not_drawn = undecided = wrong = 0
    for person in stores.records.people():
        found = load_log(at_end, person)
        drawn += sum(row.point.drawn_ns is not None for row in found.rows)
        not_drawn += sum(row.point.why_not is not None for row in found.rows)
        points = stores.offers.points(person.id, 0, end_ns - 60 * MINUTE)
        undecided += sum(point.available is None for point in points)
        wrong += found.problem is not None
    return {
        "moments_drawn": drawn,
        "moments_not_drawn": not_drawn,
        "moments_undecided": undecided,
        "people_with_wrong_draws": wrong,
    }


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--step-min", type=int, default=30)
    parser.add_argument("--seed", type=int, default=26)
    given = parser.parse_args()
    found = run(given.people, given.days, given.workers, given.step_min, given.seed)
    print(json.dumps(found, indent=2))
    if found["planned"] != found["sent"] + found["said_why_not"] or found["mails_twice"]:
        raise SystemExit(1)
    if found["moments_undecided"] or found["people_with_wrong_draws"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
