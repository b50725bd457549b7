"""Remake a patch of tests/project/newcomer/ that no longer applies.

uv run python scripts/newcomer_patches.py unpack api_route /tmp/change   # a copy, with the patch
    # now mend what its *.rej files list, and delete them
uv run python scripts/newcomer_patches.py pack api_route /tmp/change     # write the patch anew
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PATCHES = ROOT / "tests" / "project" / "newcomer"
_GIT = ("git", "-c", "user.name=newcomer", "-c", "user.email=newcomer@example.org")


def copy_project(target: Path) -> None:
    """Copy what git tracks or would track, as it is in the working tree.

    Raises subprocess.CalledProcessError where the project is not a git checkout.
    """
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, listing.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)


def apply_patch(name: str, target: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Apply a patch to a copy of the project."""
    return subprocess.run(
        ["git", "apply", *options, str(PATCHES / f"{name}.patch")],
        cwd=target,
        # Below a repository, git would take the paths as that repository's and skip them all.
        env=os.environ | {"GIT_CEILING_DIRECTORIES": str(target.parent)},
        check=False,
        capture_output=True,
        text=True,
    )


def unpack(name: str, target: Path) -> int:
    """Copy the project into a new folder and apply what still applies of the patch."""
    if target.exists():
        print(f"{target} is there already. Name a new folder.")
        return 2
    copy_project(target)
    for arguments in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "as it is")):
        subprocess.run([*_GIT, *arguments], cwd=target, check=True)
    if (PATCHES / f"{name}.patch").is_file():
        print(apply_patch(name, target, "--reject", "-C1").stderr, end="")
    print(f"Make the change in {target}, then pack it.")
    return 0


def pack(name: str, target: Path) -> int:
    """Write the changes of the folder as the patch."""
    rejected = sorted(target.rglob("*.rej"))
    if rejected:
        print("Not mended, or not deleted:", *rejected, sep="\n")
        return 1
    subprocess.run([*_GIT, "add", "-A"], cwd=target, check=True)
    # Two lines of context, so that changes nearby do not break the patch.
    diff = subprocess.run(
        [*_GIT, "diff", "--cached", "--no-color", "--no-ext-diff", "-U2"],
        cwd=target,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    # The hashes of blobs would change with every other change of the file.
    lines = [line for line in diff.splitlines(True) if not line.startswith("index ")]
    (PATCHES / f"{name}.patch").write_text("".join(lines))
    return 0


def main() -> int:
    """Run the command that is named."""
    commands = {"unpack": unpack, "pack": pack}
    if len(sys.argv) != 4 or sys.argv[1] not in commands:
        print(__doc__)
        return 2
    return commands[sys.argv[1]](sys.argv[2], Path(sys.argv[3]).absolute())


if __name__ == "__main__":
    sys.exit(main())
