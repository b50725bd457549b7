"""How long a caseload of many takes: the request of the page, and what a person waits for.

    uv run python -m benchmarks.caseload [--people 200] [--repeat 9]

Each patient has four weeks of two ratings a day, a session to come and two questionnaires.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from ebbtide.beats import new_id
from ebbtide.settings import Settings
from ebbtide.timestamps import DAY, HOUR
from store import Stores, open_stores
from store.models import (
    PLANNED_BY_PROGRAMME,
    Person,
    Purpose,
    QuestionnaireResponse,
    Rating,
    Role,
    TherapySession,
    pack_answers,
)
from tests.support.clinic import Clinic, opened_clinic


def main() -> None:
    """Fill a clinic, ask for its caseload, and print what that took as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--repeat", type=int, default=9)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        stores = open_stores(Settings(data_dir=Path(folder)))
        with opened_clinic(stores) as clinic:
            for number in range(arguments.people):
                _patient(clinic, stores, number)
            times = []
            for _round in range(arguments.repeat):
                begin = time.perf_counter()
                answer = clinic["tom"].get("/v1/patients")
                times.append(time.perf_counter() - begin)
                answer.raise_for_status()
            rows = answer.json()
            print(
                json.dumps(
                    {
                        "people": sum(row["agreed"] for row in rows),
                        "with_a_reason": sum(
                            row["needs"] != ["nothing in particular"]
                            for row in rows
                            if row["agreed"]
                        ),
                        "first_s": round(times[0], 3),
                        "median_s": round(statistics.median(times), 3),
                        "slowest_s": round(max(times), 3),
                    }
                )
            )
        stores.close()


def _patient(clinic: Clinic, stores: Stores, number: int) -> Person:
    name = f"p{number:03}"
    person = clinic.add(name, Role.PATIENT)
    clinic.agree(name, Purpose.CARE)
    stores.access.put_care(clinic.id("tom"), person.id, stores.now())
    rng = np.random.default_rng(number)
    now = stores.now()
    for day in range(28):
        for hour in (9, 19):
            about = (now - (28 - day) * DAY + hour * HOUR) // 1000 * 1000
            if about > now:
                continue
            fall = 2.0 if number % 3 == 0 and day >= 14 else 0.0
            pain, stress = (int(np.clip(rng.normal(5 - fall, 1.2), 0, 10)) for _ in range(2))
            stores.records.add_rating(
                Rating(new_id(), 1, person.id, about, about, person.zone, pain, stress, None, False)
            )
    stores.records.add_session(
        TherapySession(new_id(), person.id, 1, now + (number % 6) * DAY + HOUR, changed_ns=now)
    )
    for occasion, back in (("before", 25), ("after", 3)):
        at = now - back * DAY
        stores.programme.add_response(
            QuestionnaireResponse(
                *(new_id(), 1, person.id, "gad7", 1, "en", pack_answers({"1": 1, "2": 1})),
                *(at, at, person.zone, occasion, PLANNED_BY_PROGRAMME, False),
            )
        )
    return person


main()
