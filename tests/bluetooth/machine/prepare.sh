#!/usr/bin/env bash
# Gets what the machine of tests/bluetooth needs, on Debian, as root: QEMU, BlueZ, and a kernel with
# a virtual Bluetooth controller, unpacked (not installed) into the cache.
set -euo pipefail
tree=${EBBTIDE_RIG_KERNEL:-${XDG_CACHE_HOME:-$HOME/.cache}/ebbtide-rig/kernel}
as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo"
packages=()
command -v qemu-system-x86_64 >/dev/null || packages+=(qemu-system-x86)
[ -x /usr/libexec/bluetooth/bluetoothd ] || packages+=(bluez)
command -v dbus-daemon >/dev/null || packages+=(dbus)
command -v busybox >/dev/null || packages+=(busybox-static)
command -v cpio >/dev/null || packages+=(cpio)
command -v depmod >/dev/null || [ -x /sbin/depmod ] || packages+=(kmod)
if [ ${#packages[@]} -gt 0 ] || [ ! -d "$tree/lib/modules" ]; then
  $as_root apt-get update -qq
fi
if [ ${#packages[@]} -gt 0 ]; then
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}"
fi
if [ ! -d "$tree/lib/modules" ]; then
  kernel=$(apt-cache depends linux-image-amd64 | awk '/Depends:/ {print $2; exit}')
  mkdir -p "$tree"
  work=$(mktemp -d)
  (cd "$work" && apt-get download -qq "$kernel" && dpkg -x ./*.deb "$tree")
  rm -rf "$work"
fi
echo "$tree"
