#!/bin/bash
# Inside the guest: the system bus, then the cases, which start the virtual link and the Bluetooth daemon.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root PYTHONDONTWRITEBYTECODE=1
mkdir -p /run/dbus /run/lock
dbus-daemon --system --fork --nopidfile
here=$(dirname "$(realpath "$0")")
cd "$here/../../.." || exit 1
exec "$(cat /run/results/python)" -m tests.bluetooth.vm_cases
