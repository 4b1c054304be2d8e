# Starts a PostgreSQL 15 of its own, installed from Debian's packages where it is not there, and prints its address. Its
# data is kept in memory where there is room: most of what a database test costs on a disk is making and deleting files.
postgres15_url() {
  local bin=/usr/lib/postgresql/15/bin port=54315 data
  if ! [ -x "$bin/postgres" ]; then
    apt-get update -qq >&2 && apt-get install -y -qq postgresql-15 >&2
  fi
  data=$(mktemp -d "$(postgres15_memory)/canton-submitter-pg15-$$-XXXXXX")
  chown postgres "$data"
  postgres15_as "$bin/initdb" -D "$data/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >&2
  postgres15_as "$bin/pg_ctl" -D "$data/data" -w -l "$data/log" start >&2 \
    -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=600 -c max_wal_size=512MB"
  echo "postgres://postgres@127.0.0.1:$port/postgres"
}

# After the last test: stops it, and leaves nothing behind.
postgres15_stop() {
  local folder
  for folder in /dev/shm/canton-submitter-pg15-$$-* /tmp/canton-submitter-pg15-$$-*; do
    [ -d "$folder" ] || continue
    postgres15_as /usr/lib/postgresql/15/bin/pg_ctl -D "$folder/data" -m immediate stop >&2 || true
    rm -rf "$folder"
  done
}

postgres15_as() { setpriv --reuid postgres --regid postgres --init-groups "$@"; }

postgres15_memory() {
  local free
  free=$(df -m --output=avail /dev/shm 2>/dev/null | tail -n 1 || echo 0)
  if [ "${free:-0}" -ge 2048 ]; then echo /dev/shm; else echo /tmp; fi
}
