# Prints the address of a PostgreSQL 15: the machine's own if it answers, else one installed from Debian's packages.
postgres15_url() {
  local url="postgres://postgres@127.0.0.1:5432/test"
  if ! pg_isready -q -h 127.0.0.1 -p 5432 2>/dev/null; then
    if ! ls /usr/lib/postgresql/15/bin/postgres >/dev/null 2>&1; then
      apt-get update -qq >&2 && apt-get install -y -qq postgresql-15 >&2
    fi
    pg_ctlcluster --skip-systemctl-redirect 15 main start >&2 || true
    for _ in $(seq 50); do pg_isready -q -h 127.0.0.1 -p 5432 && break; sleep 0.2; done
  fi
  echo "$url"
}
