"""Boots Debian's own kernel under QEMU with this file system as its root, to have a real BlueZ on a
machine whose kernel has no Bluetooth. ``machine/prepare.sh`` gets what it needs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT, skip_or_fail

MACHINE = Path(__file__).with_name("machine")
_MODULES = ("virtio_pci", "9p", "9pnet_virtio", "overlay", "hci_vhci", "cmac", "ecb", "aes_generic")


def kernel_tree() -> Path:
    """Where the kernel was unpacked. Skips, or fails in CI, when something is missing."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    tree = Path(os.environ.get("EBBTIDE_RIG_KERNEL") or cache / "ebbtide-rig" / "kernel")
    needs = {
        "qemu-system-x86_64": shutil.which("qemu-system-x86_64"),
        "bluetoothd": Path("/usr/libexec/bluetooth/bluetoothd").exists(),
        "busybox": shutil.which("busybox"),
        "cpio": shutil.which("cpio"),
        f"a kernel in {tree}": (tree / "lib" / "modules").is_dir(),
    }
    missing = [name for name, there in needs.items() if not there]
    if missing:
        skip_or_fail(
            f"no {', '.join(missing)} (Debian: tests/bluetooth/machine/prepare.sh brings them)"
        )
    return tree


def boot(work: Path, results: Path, seconds: float) -> str:
    """Boot, run the guest's cases, power off: what the console said."""
    tree = kernel_tree()
    initrd = _initramfs(tree, work)
    _compile_modules()
    (results / "python").write_text(sys.executable)
    kernel = next((tree / "boot").glob("vmlinuz-*"))
    command = [
        *_first(),
        *("qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max"),
        *("-m", "3072", "-smp", "2", "-nographic", "-no-reboot", "-nic", "none"),
        *("-kernel", str(kernel), "-initrd", str(initrd)),
        # Nothing in the guest is to be kept from anything else in it.
        *("-append", "console=ttyS0 quiet panic=-1 mitigations=off"),
        *("-fsdev", "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap"),
        *("-device", "virtio-9p-pci,fsdev=host,mount_tag=host"),
        *("-fsdev", f"local,id=results,path={results},security_model=none"),
        *("-device", "virtio-9p-pci,fsdev=results,mount_tag=results"),
    ]
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=seconds,
        check=False,
    )
    return done.stdout.decode(errors="replace")


def _compile_modules() -> None:
    """Compile what the guest imports, where that is not done: it cannot write, and each of its
    processes would compile all of it anew, under emulation.
    """
    folders = ["ebbtide", "ingest", "cli", "analytics", "store", "tests/bluetooth", "tests/support"]
    subprocess.run([sys.executable, "-m", "compileall", "-q", *folders], cwd=ROOT, check=False)


def _first() -> list[str]:
    """Raise the priority, where that is allowed: an emulated controller that delivers later than a
    heartbeat makes another case than those that are tested.
    """
    words = ["nice", "-n", "-15"]
    done = subprocess.run([*words, "nice"], capture_output=True, text=True, check=False)
    return words if done.stdout.strip() == "-15" else []


def _initramfs(tree: Path, work: Path) -> Path:
    environment = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    (version,) = [path.name for path in (tree / "lib" / "modules").iterdir()]
    root = work / "initramfs"
    for folder in ("bin", "proc", "sys", "dev", "mods", "mnt/host", "mnt/rw", "mnt/root"):
        (root / folder).mkdir(parents=True)
    busybox = shutil.which("busybox")
    assert busybox is not None
    shutil.copy(busybox, root / "bin" / "busybox")
    subprocess.run(["depmod", "-b", str(tree), version], check=True, env=environment)
    files: list[Path] = []
    for module in _MODULES:
        modules = subprocess.run(
            ["modprobe", "-d", str(tree), "-S", version, "--show-depends", module],
            check=True,
            env=environment,
            capture_output=True,
            text=True,
        ).stdout
        files += [Path(line.split()[1]) for line in modules.splitlines() if line[:6] == "insmod"]
    order = list(dict.fromkeys(files))
    for file in order:
        shutil.copy(file, root / "mods")
    (root / "mods" / "order").write_text("".join(f"{file.name}\n" for file in order))
    shutil.copy(MACHINE / "init", root / "init")
    (root / "init").chmod(0o755)
    (root / "guest-script").write_text(str(MACHINE / "guest.sh"))
    packed = work / "initrd"
    names = subprocess.run(["find", "."], cwd=root, check=True, capture_output=True).stdout
    with packed.open("wb") as out:
        subprocess.run(
            ["cpio", "-o", "-H", "newc", "--quiet"], cwd=root, input=names, stdout=out, check=True
        )
    return packed
