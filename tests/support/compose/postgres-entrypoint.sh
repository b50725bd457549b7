#!/bin/bash
# What the official image's entrypoint does with the variables that docker-compose.yml sets.
set -euo pipefail
data=/var/lib/postgresql/data
if [ ! -s "$data/PG_VERSION" ]; then
  # shellcheck disable=SC2086 # several options
  initdb -D "$data" -U "$POSTGRES_USER" --pwfile="$POSTGRES_PASSWORD_FILE" $POSTGRES_INITDB_ARGS >/tmp/initdb.log
  echo "host all all all scram-sha-256" >>"$data/pg_hba.conf"
  pg_ctl -D "$data" -o "-c listen_addresses='' -c unix_socket_directories=/var/run/postgresql" -w start >/tmp/start.log || { cat /tmp/start.log >&2; exit 1; }
  PGPASSWORD=$(<"$POSTGRES_PASSWORD_FILE") createdb -h /var/run/postgresql -U "$POSTGRES_USER" "$POSTGRES_DB"
  pg_ctl -D "$data" -m fast -w stop >/tmp/stop.log
fi
command=$1
shift
exec "$command" -D "$data" -c listen_addresses='*' -c unix_socket_directories=/var/run/postgresql "$@"
