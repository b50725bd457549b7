"""How punctual prompts are in a real hour, while a worker is killed every five minutes.

    python -m benchmarks.punctual --people 600 --minutes 60 --workers 2

PostgreSQL, and for each worker a process with the service's own ``ReminderTask``. Every person is
asked once, at a minute of the hour; sending one takes 0.2 s, as a push service that is near does.
Every ``--kill-every`` minutes one worker is killed (SIGKILL) and started again at once. Said: how
late prompts were sent after their minute, and whether each was sent, once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import select

from analytics.programme.prompt_plan import DayHours, PromptPlan
from api.http.reminders import ReminderTask
from api.services.reminders.plans import change_plan
from api.services.reminders.ways import Message
from benchmarks.prompts import FileWay
from ebbtide.beats import new_id
from ebbtide.settings import Settings
from ebbtide.timestamps import SECOND
from store import open_stores
from store.models import Consent, Person, Purpose, Role
from store.sql.tables.prompts import PromptRow
from tests.support.postgres import postgres_bin, started

_LEAD_MIN = 1


class SlowFileWay(FileWay):
    """Takes as long as a push service does."""

    def send(self, message: Message) -> bool:
        """Note it after 0.2 s."""
        time.sleep(0.2)
        return super().send(message)


def work(url: str, folder: Path) -> None:
    """Send what is due, as a worker of the service does, until killed."""
    os.environ["EBBTIDE_RECORDS_URL"] = url
    settings = Settings(data_dir=folder)
    task = ReminderTask(open_stores(settings), settings, None)
    task.ways = [SlowFileWay("push", folder, "push")]
    asyncio.run(task.run())


def _zone_of_day(now: datetime) -> str:
    """A zone in which it is about noon, so that no night lies in the hour."""
    ahead = 12 - now.hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


def run(people: int, minutes: int, workers: int, kill_every: float, seed: int) -> dict[str, Any]:
    """Run it, and count."""
    binaries = postgres_bin()
    if binaries is None:
        raise SystemExit("PostgreSQL is not installed (Debian: apt install postgresql).")
    choose = random.Random(seed)
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="ebbtide-punctual-") as name:
        folder = Path(name)
        server = started(Path(tempfile.mkdtemp(prefix="ebbtide-pg-", dir="/tmp")), binaries)
        try:
            url = server.fresh_database()
            os.environ["EBBTIDE_RECORDS_URL"] = url
            stores = open_stores(Settings(data_dir=folder))
            first = datetime.now(UTC).replace(second=0, microsecond=0)
            first += timedelta(minutes=_LEAD_MIN)
            shift = 12 - first.hour
            zone = _zone_of_day(first)
            for number in range(people):
                person = Person(
                    *(new_id(), new_id(), f"{number}@example.org", "a", zone, Role.PATIENT),
                    *(True, "", time.time_ns()),
                )
                stores.records.add_person(person)
                stores.records.add_consent(
                    Consent(person.id, Purpose.KEEPING, True, "1", time.time_ns())
                )
                minute = (first.hour + shift) * 60 + first.minute + choose.randrange(minutes)
                plan = PromptPlan((DayHours(420, 1320),) * 7, random_a_day=0, fixed_min=(minute,))
                change_plan(stores, person, lambda _, plan=plan: plan)  # type: ignore[misc]
            found = _drive(context, url, folder, workers, first, minutes, kill_every, choose)
            begin_ns = int(first.timestamp()) * SECOND
            with stores.engine.connect() as db:
                rows = db.execute(
                    select(PromptRow.id, PromptRow.planned_ns, PromptRow.sent_ns, PromptRow.state)
                    .where(PromptRow.planned_ns >= begin_ns)
                    .where(PromptRow.planned_ns < begin_ns + minutes * 60 * SECOND)
                ).all()
            stores.close()
        finally:
            server.stop()
        taken = Counter(
            line for path in folder.glob("sent-*") for line in path.read_text().splitlines()
        )
    late = np.array([(row.sent_ns - row.planned_ns) / SECOND for row in rows if row.sent_ns])
    return {
        "people": people,
        "minutes": minutes,
        "workers": workers,
        **found,
        "planned": len(rows),
        "sent": len(late),
        "posted_again": sum(count > 1 for count in taken.values()),
        "late_s": {
            "median": round(float(np.median(late)), 1),
            "p95": round(float(np.quantile(late, 0.95)), 1),
            "worst": round(float(np.max(late)), 1),
        },
        "over_60_s": int(np.sum(late > 60)),
    }


def _drive(
    context: Any,
    url: str,
    folder: Path,
    workers: int,
    first: datetime,
    minutes: int,
    kill_every: float,
    choose: random.Random,
) -> dict[str, Any]:
    def begin() -> Any:
        process = context.Process(target=work, args=(url, folder), daemon=True)
        process.start()
        return process

    running = [begin() for _ in range(workers)]
    end = first.timestamp() + minutes * 60 + 150  # a lease and a look after the last one
    kills, next_kill = 0, first.timestamp() + kill_every * 60 * choose.random()
    while time.time() < end:
        time.sleep(0.2)
        if time.time() >= next_kill:
            victim = choose.randrange(workers)
            running[victim].kill()
            running[victim].join()
            running[victim] = begin()
            kills += 1
            next_kill += kill_every * 60 + choose.uniform(-5, 5)
    for process in running:
        process.kill()
        process.join()
    return {"kills": kills}


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=600)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kill-every", type=float, default=5.0, help="minutes")
    parser.add_argument("--seed", type=int, default=26)
    given = parser.parse_args()
    found = run(given.people, given.minutes, given.workers, given.kill_every, given.seed)
    print(json.dumps(found, indent=2))
    if found["planned"] != found["sent"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
