"""Every command that ends by itself, on small files made here and on a fixed store."""

from __future__ import annotations

import csv
import io
import random
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from clinic import PASSWORD, WRONG, bearer, intervals, ratings_of
from normalising import decoded, shortened, write
from product import Product


def generated_files(folder: Path) -> None:
    """Small files of the kinds that the commands read."""

    def put(name: str, text: str) -> None:
        (folder / name).write_text(text)

    put("rr.txt", "".join(f"{ms}\n" for ms in intervals(1, 700)))
    put("rr-seconds.txt", "".join(f"{ms / 1000:.3f}\n" for ms in intervals(2, 400, False)))
    put("rr-short.txt", "".join(f"{ms}\n" for ms in intervals(3, 12, False)))
    put("words.txt", "these are\nno numbers\n")
    put("empty.txt", "")
    lines, moment = ["Phone timestamp;RR-interval [ms]"], datetime(2026, 11, 20, 8, tzinfo=UTC)
    for ms in intervals(4, 900):
        moment += timedelta(milliseconds=ms)
        lines.append(f"{moment.replace(tzinfo=None).isoformat(timespec='milliseconds')};{ms}")
    lines.insert(50, "oops")
    put("logger.txt", "\n".join(lines))
    rows = "".join(f"{ms},0\n" for ms in intervals(5, 400))
    put("Ada_2026-11-21_08-30-00_RR.csv", "duration,offline\n" + rows + "2000,1\n" + rows)
    rng = random.Random(6)
    table: list[list[object]] = [["who", "day", "stress", "pain"]]
    for who in ("a", "b", "c", "d"):
        for day in range(45):
            mood = rng.gauss(0, 1.5)
            table.append(
                [
                    *(who, f"2026-09-{day + 1:02}" if day < 30 else f"2026-10-{day - 29:02}"),
                    round(6 - day / 12 + mood + rng.gauss(0, 1), 1),
                    round(5 - day / 12 + 0.7 * mood + rng.gauss(0, 1), 1),
                ]
            )
    put("link.csv", as_csv(table))
    put("link-one.csv", as_csv(table[:46]))
    put("link-few.csv", as_csv(table[:8]))
    wrong = [list(row) for row in table]
    wrong[9][2] = "much"
    put("link-wrong.csv", as_csv(wrong))
    trial: list[list[object]] = [["who", "week", "pain", "arm"]]
    for k in range(30):
        start, less = rng.uniform(4, 8), rng.uniform(1, 5) if k % 2 else rng.uniform(-1, 2)
        for week in (0, 2, 4):
            arm = "treatment" if k % 2 else "usual care"
            pain: object = round(min(10, max(0, start - less * week / 4)), 1)
            trial.append([f"p{k}", week, "" if (k, week) == (7, 4) else pain, arm])
    put("trial.csv", as_csv(trial))


def as_csv(rows: list[list[object]]) -> str:
    """Rows as CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


_LINK = ("--subject", "who", "--x", "stress", "--y", "pain")
_TRIAL = ("outcomes", "trial.csv", "--subject", "who", "--time", "week", "--pain", "pain")
FILE_COMMANDS: list[tuple[str, ...]] = [
    ("hrv", "rr.txt"),
    ("hrv", "rr.txt", "--json"),
    ("hrv", "rr-seconds.txt", "--json"),
    ("hrv", "rr-short.txt", "--json"),
    ("hrv", "logger.txt", "--window", "300", "--step", "60", "--json"),
    ("hrv", "rr.txt", "--window", "120"),
    ("hrv", "rr.txt", "--window", "120", "--csv"),
    ("hrv", "rr.txt", "--window", "120", "--parquet", "--output", "windows.parquet"),
    ("hrv", "rr.txt", "--csv", "--json"),
    ("hrv", "rr.txt", "--window", "0"),
    ("hrv", "rr.txt", "--nonsense"),
    ("hrv", "not-there.txt"),
    ("hrv", "words.txt"),
    ("hrv", "empty.txt"),
    ("hrv",),
    ("clean", "rr.txt"),
    ("clean", "rr.txt", "--json"),
    ("clean", "words.txt", "--json"),
    ("link", "link.csv", *_LINK, "--time", "day"),
    ("link", "link.csv", *_LINK, "--time", "day", "--json"),
    ("link", "link-one.csv", *_LINK, "--json"),
    ("link", "link-few.csv", *_LINK),
    ("link", "link-few.csv", *_LINK, "--json"),
    ("link", "link-wrong.csv", *_LINK),
    ("link", "link.csv", "--subject", "who", "--x", "Stress", "--y", "pain"),
    ("link", "not-there.csv", *_LINK),
    _TRIAL,
    (*_TRIAL, "--group", "arm"),
    (*_TRIAL, "--group", "arm", "--json"),
    (*_TRIAL, "--group", "arm", "--before", "0", "--after", "2", "--json"),
    (*_TRIAL, "--after", "9"),
    (*_TRIAL[:2], "--subject", "who", "--time", "arm", "--pain", "pain"),
    ("demo", "--json"),
    ("demo", "--once", "--rr", "words.txt"),
    ("nothing",),
]
EMPTY_STORE: list[tuple[str, ...]] = [
    ("status",),
    ("doctor", "--json"),
    ("record",),
    ("import", "logger.txt"),
    ("pair", "00:11:22:33:44:55", "--seconds", "1"),
    ("scan", "--seconds", "1", "--quick", "--json"),
    ("unpair", "nothing"),
    ("move",),
    ("store",),
    ("store", "check"),
    ("retention",),
    ("restore", "no-backup"),
    ("nightly", "--workers", "1"),
    ("secrets", "made-secrets"),
    ("secrets", "made-secrets"),
]


def record_commands(product: Product, out: Path) -> None:
    """Every command that ends by itself, on fixed files and a fixed store."""
    generated_files(product.files)
    number = 0

    def put(text: str) -> None:
        nonlocal number
        number += 1
        words = text.partition("\n")[0].partition("ebbtide ")[2]
        name = re.sub(r"[^\w.]+", "-", words).strip("-")[:60]
        write(out, f"{number:03}-{name}.txt", text)

    def output_of(*words: str, typed: str = "", **more: str) -> None:
        put(product.output_of(*words, typed=typed, **more))

    for words in FILE_COMMANDS:
        output_of(*words)
    put(f"ebbtide windows.parquet\n{decoded_file(product.files / 'windows.parquet')}")
    output_of("demo", "--once", "--json")
    output_of("demo", "--once", "--rr", "rr.txt")
    for words in EMPTY_STORE:
        output_of(*words)
    made = sorted((product.files / "made-secrets").glob("**/*"))
    sizes = [f"{p.name} {p.stat().st_mode & 0o777:o} {len(p.read_text())}" for p in made]
    put("ebbtide made-secrets\n" + "\n".join(sizes))
    twice, ada = f"{PASSWORD}\n{PASSWORD}\n", ("--name", "Ada", "--zone", "Europe/Berlin")
    output_of("add-patient", "ada@example.org", *ada, typed=twice)
    output_of("add-patient", "ada@example.org", *ada, typed=twice)
    output_of("add-patient", "nobody", *ada, typed=twice)
    output_of("add-patient", "eve@example.org", "--name", "Eve", "--zone", "Mars", typed=twice)
    output_of("add-patient", "eve@example.org", *ada, typed="short\nshort\n")
    output_of("add-account", "eve@example.org", *ada, "--role", "owner", typed=twice)
    output_of("add-account", "adam@example.org", *ada, typed=twice)
    output_of("sign-in", "ada@example.org", typed=f"{PASSWORD}\n")
    with product.serve():
        output_of("sign-in", "ada@example.org", typed=f"{WRONG}\n")
        output_of("sign-in", "ada@example.org", typed=f"{PASSWORD}\n")
        output_of("status", "--json")
        output_of("import", "logger.txt", "Ada_2026-11-21_08-30-00_RR.csv", "words.txt", "--json")
        output_of("import", "logger.txt")
        output_of("import", "rr.txt", "--start", "2026-11-22T08:00", "--zone", "Europe/Berlin")
        output_of("import", "rr.txt", "logger.txt", "--start", "2026-11-22T08:00")
        output_of("import", "rr.txt", "--patient", "eve@example.org")
        output_of("status")
        output_of("doctor")
        sign_in = {"email": "ada@example.org", "password": PASSWORD}
        token = httpx.post(f"{product.url}/v1/sign-in", json=sign_in).json()["token"]
        with httpx.Client(base_url=product.url, headers=bearer(token), timeout=60) as client:
            for body in ratings_of("ada", 7, 20):
                client.post("/v1/ratings", json=body).raise_for_status()
        of_ada = ("--email", "ada@example.org")
        for name in ("beats.parquet", "hrv.csv", "ratings.csv", "sessions.csv", "link.parquet"):
            output_of("export", Path(name).stem, name, *of_ada, typed=f"{PASSWORD}\n")
            text = decoded_file(product.files / name)
            put(f"ebbtide {name}\n{shortened(product.normalise(text))}")
        output_of("export", "ratings", "ratings.csv", *of_ada, typed=f"{WRONG}\n")
        output_of("export", "ratings", "ratings.xls", *of_ada, typed=f"{PASSWORD}\n")
        output_of("export", "nothing", "nothing.csv", *of_ada, typed=f"{PASSWORD}\n")
    output_of("export", "ratings", "ratings.csv", *of_ada, typed=f"{PASSWORD}\n")
    output_of("status", "--json")
    output_of("nightly", "--workers", "1", "--json")
    output_of("nightly", "--workers", "1")
    output_of("store", "check", "--json")
    output_of("store", "check")
    output_of("retention", "--json", EBBTIDE_KEEP_DAYS="1")
    output_of("retention")
    output_of("backup", "kept", "--json")
    output_of("backup", "kept")
    output_of("backup")
    output_of("erase", "nobody@example.org", "--yes")
    output_of("erase", "ada@example.org", typed="n\n")
    output_of("erase", "ada@example.org", "--yes")
    output_of("restore", "kept")
    output_of("restore", "kept", "--replace")
    output_of("store", "check", "--json")
    output_of("retention", "--apply", EBBTIDE_KEEP_DAYS="nonsense")
    output_of("serve", EBBTIDE_DATA_DIR=str(product.files / "rr.txt"))


def decoded_file(path: Path) -> str:
    """What a CSV or Parquet file holds."""
    try:
        raw = path.read_bytes()
        return decoded(raw, "parquet") if path.suffix == ".parquet" else raw.decode()
    except (OSError, ValueError) as error:
        return f"not read: {type(error).__name__}"
