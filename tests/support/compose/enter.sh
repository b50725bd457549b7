# Make the root of a service in this mount namespace, then run its command in it:
#   enter.sh HOSTS FOLDER read-only|writable [KIND SOURCE TARGET]... -- COMMAND...
set -euo pipefail
hosts=$1 folder=$2 mode=$3
shift 3
mount --make-rprivate /
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
root=/mnt/root
mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work "$root"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/run"
printf '%s\n' "$hosts" >"$root/etc/hosts"
while [ "$1" != -- ]; do
  # A checkout or an interpreter may lie below a folder that is closed to other users.
  if [ "$1" = reach ]; then
    [ ! -d "$root$2" ] || chmod o+x "$root$2"
    shift 3
    continue
  fi
  # /var/run is a link to /run, and is meant in the new root.
  kind=$1 source=$2 target=$root$(chroot "$root" realpath -m "$3")
  shift 3
  case $kind in
    own) mkdir -p "$target" && chown "$source" "$target" ;;
    tmpfs) mkdir -p "$target" && mount -t tmpfs -o "$source" tmpfs "$target" ;;
    volume) mkdir -p "$target" && mount --bind "$source" "$target" ;;
    secret)
      mkdir -p "$root/run/secrets" && touch "$target"
      mount --bind "$source" "$target" && mount -o remount,bind,ro "$target"
      ;;
    file)
      mkdir -p "$(dirname "$target")"
      cp "$source" "$target"
      ;;
  esac
done
shift
mount -o remount,ro "$root/run"
[ "$mode" = writable ] || mount -o remount,bind,ro "$root"
exec chroot "$root" /bin/sh -c 'cd "$0" && exec "$@"' "$folder" "$@"
