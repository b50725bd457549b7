"""Record what the product says to the outside, to compare it before and after a change.

    python scripts/behaviour record OUTDIR [--root CHECKOUT] [--only help,openapi,...]
    python scripts/behaviour compare DIR_BEFORE DIR_AFTER

The product is used only through its commands, HTTP and its pages, because names of modules may
differ between the two sides. Needs httpx, pyarrow and playwright (the development environment
has them) and a chromium. Processes of the product get a clock that begins at the same moment in
every recording, and ids that are made from a fixed seed; what still differs (the seconds that a
recording took, ports, folders, tokens) is replaced by placeholders.
"""

from __future__ import annotations

import argparse
import difflib
import shutil
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from command_lines import record_commands
from descriptions import record_help, record_openapi
from normalising import write
from pages import record_pages
from product import Product
from routes import record_routes

SECTIONS = ("help", "openapi", "commands", "routes", "pages")


def record(root: Path, out: Path, only: list[str]) -> int:
    """Record the sections, three at once; one that fails says so in its own file."""
    recorders = {
        "help": record_help,
        "openapi": record_openapi,
        "commands": record_commands,
        "routes": record_routes,
        "pages": record_pages,
    }

    def section(name: str) -> str | None:
        shutil.rmtree(out / name, ignore_errors=True)
        began = time.monotonic()
        product = Product(root, name)
        failed = None
        try:
            recorders[name](product, out / name)
        except Exception:
            failed = traceback.format_exc()
            write(out / name, "FAILED.txt", product.normalise(failed))
        finally:
            product.close()
        took = time.monotonic() - began
        print(f"{name}: {took:.0f} s" + (f"\n{failed}" if failed else ""), flush=True)
        return failed

    # The longest first.
    order = [name for name in ("pages", "commands", "routes", "help", "openapi") if name in only]
    with ThreadPoolExecutor(3) as pool:
        return 1 if any(list(pool.map(section, order))) else 0


def compare(before: Path, after: Path) -> int:
    """Unified diffs of everything that differs; 1 when there is any."""
    names = sorted(
        {
            str(path.relative_to(folder))
            for folder in (before, after)
            for path in folder.rglob("*")
            if path.is_file()
        }
    )
    different = 0
    for name in names:
        texts = [
            (folder / name).read_text(encoding="utf-8") if (folder / name).is_file() else ""
            for folder in (before, after)
        ]
        if texts[0] == texts[1] and (before / name).is_file() == (after / name).is_file():
            continue
        different += 1
        lines = [text.splitlines(keepends=True) for text in texts]
        sys.stdout.writelines(
            difflib.unified_diff(*lines, str(before / name), str(after / name), n=2)
        )
    print(f"{len(names)} files compared, {different} differ.")
    return 1 if different or not names else 0


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("record", help="record what a checkout says")
    one.add_argument("out", type=Path)
    one.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2])
    one.add_argument("--only", default=",".join(SECTIONS), help="some of: " + ", ".join(SECTIONS))
    two = commands.add_parser("compare", help="compare two recordings")
    two.add_argument("before", type=Path)
    two.add_argument("after", type=Path)
    args = parser.parse_args()
    if args.command == "compare":
        return compare(args.before, args.after)
    only = args.only.split(",")
    unknown = set(only) - set(SECTIONS)
    if unknown:
        parser.error(f"there is no section {', '.join(sorted(unknown))}")
    return record(args.root.resolve(), args.out.resolve(), only)


if __name__ == "__main__":
    sys.exit(main())
