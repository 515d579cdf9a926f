#!/bin/bash
# Starts MariaDB. On the first start, with an empty data directory, it makes the database that the environment asks for,
# under the names
# that the official mariadb image uses (each also with MYSQL_ for MARIADB_, and each also with _FILE appended: the path
# of a file that
# holds the value, which is the way for passwords):
#   MARIADB_ROOT_PASSWORD   required        MARIADB_ROOT_HOST   default %
#   MARIADB_DATABASE        created as utf8mb4
#   MARIADB_USER, MARIADB_PASSWORD          granted everything on MARIADB_DATABASE
# Then *.sql and *.sh in /docker-entrypoint-initdb.d run, in the order of their names. Arguments are mariadbd's.
set -euo pipefail
shopt -s nullglob inherit_errexit

DATADIR=/var/lib/mysql
# Stands in the data directory for as long as it is being made: a start that finds it begins anew, because nothing in it
# is anyone's data yet.
MARKER=$DATADIR/.drydock-initialising
# Not the usual socket: a health check must not find the temporary server.
INIT_SOCKET=/run/mysqld/init.sock

log() { printf '%s [drydock] %s\n' "$(date -u +'%F %T')" "$*"; }
fail() { log "error: $*" >&2; exit 1; }

# setting NAME DEFAULT: prints the value of NAME from its variable or its file.
setting() {
  local name found="" variable file
  for name in "MARIADB_$1" "MYSQL_$1"; do
    variable=${!name-}
    file="${name}_FILE"; file=${!file-}
    if [ -n "$variable" ] && [ -n "$file" ]; then fail "$name and ${name}_FILE are both set; keep one"; fi
    if [ -n "$file" ]; then
      [ -r "$file" ] || fail "${name}_FILE is $file, which uid $(id -u) can't read"
      variable=$(< "$file")
    fi
    if [ -n "$variable" ]; then found=$variable; break; fi
  done
  printf '%s' "${found:-$2}"
}

# quoted VALUE: an SQL string, under NO_BACKSLASH_ESCAPES.
quoted() { printf "'%s'" "${1//\'/\'\'}"; }
# name VALUE: an SQL identifier.
name() { printf '`%s`' "${1//\`/\`\`}"; }

initial_sql() {
  local root_host database user password
  root_host=$(setting ROOT_HOST %)
  database=$(setting DATABASE "")
  user=$(setting USER "")
  password=$(setting PASSWORD "")
  # Not into the binary log: it is for changes that a restored backup lacks.
  echo "SET SESSION sql_log_bin = 0; SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_BACKSLASH_ESCAPES');"
  # mariadb-install-db makes these without a password.
  echo "DROP USER IF EXISTS 'root'@'127.0.0.1', 'root'@'::1';"
  echo "EXECUTE IMMEDIATE CONCAT('DROP USER IF EXISTS ''root''@', QUOTE(@@hostname)); DELETE FROM mysql.proxies_priv" \
      "WHERE host <> 'localhost';"
  if [ "$root_host" != localhost ]; then
    echo "CREATE USER 'root'@$(quoted "$root_host") IDENTIFIED BY $(quoted "$ROOT_PASSWORD");"
    echo "GRANT ALL ON *.* TO 'root'@$(quoted "$root_host") WITH GRANT OPTION;"
  fi
  if [ -n "$database" ]; then echo "CREATE DATABASE $(name "$database") CHARACTER SET utf8mb4;"; fi
  if [ -n "$user" ]; then
    [ -n "$password" ] || fail "MARIADB_USER is set but neither MARIADB_PASSWORD_FILE nor MARIADB_PASSWORD"
    echo "CREATE USER $(quoted "$user")@'%' IDENTIFIED BY $(quoted "$password");"
    # _ and % are wildcards in the database part of a grant.
    if [ -n "$database" ]; then
      echo "GRANT ALL ON $(name "$(sed 's/[_%]/\\&/g' <<< "$database")").* TO $(quoted "$user")@'%';"
    fi
  fi
  echo "SET PASSWORD FOR 'root'@'localhost' = PASSWORD($(quoted "$ROOT_PASSWORD"));"
}

initialise() {
  local server user_sql file
  ROOT_PASSWORD=$(setting ROOT_PASSWORD "")
  [ -n "$ROOT_PASSWORD" ] || fail "the data directory is empty, and neither MARIADB_ROOT_PASSWORD_FILE nor" \
      "MARIADB_ROOT_PASSWORD is set"
  user_sql=$(initial_sql)

  # Bash as PID 1 ignores TERM unless it is told otherwise.
  trap 'exit 143' TERM INT
  log "making a new database in $DATADIR"
  : > "$MARKER"
  find "$DATADIR" -mindepth 1 -maxdepth 1 ! -name "${MARKER##*/}" ! -name lost+found -exec rm -rf {} +
  mariadb-install-db --datadir="$DATADIR" --skip-test-db --auth-root-authentication-method=normal \
    --skip-name-resolve "${@:2}" --skip-log-bin > /tmp/install.log 2>&1 || { cat /tmp/install.log >&2
    fail "mariadb-install-db failed"; }

  "$@" --skip-networking --socket="$INIT_SOCKET" --skip-slave-start &
  server=$!
  trap 'kill -TERM $server 2>/dev/null; wait $server; exit 143' TERM INT
  until mariadb --no-defaults --socket="$INIT_SOCKET" --user=root -e 'SELECT 1' > /dev/null 2>&1; do
    kill -0 $server 2>/dev/null || fail "the server did not start; its messages are above"
    sleep 0.2
  done
  mariadb --no-defaults --socket="$INIT_SOCKET" --user=root --default-character-set=utf8mb4 <<< "$user_sql"

  as_root() { MYSQL_PWD=$ROOT_PASSWORD mariadb --no-defaults --socket="$INIT_SOCKET" --user=root \
    --default-character-set=utf8mb4 "$@"; }
  # Otherwise CONVERT_TZ knows no zone by its name, and answers NULL.
  mariadb-tzinfo-to-sql --skip-write-binlog /usr/share/zoneinfo 2>/dev/null | as_root mysql
  for file in /docker-entrypoint-initdb.d/*; do
    case $file in
      *.sql) log "running $file"; as_root "$(setting DATABASE mysql)" < "$file" ;;
      *.sh)
        log "running $file"
        # shellcheck disable=SC1090 # the user's own
        . "$file"
        ;;
    esac
  done

  kill -TERM $server
  wait $server || fail "the temporary server did not shut down cleanly"
  trap - TERM INT
  server_version > "$DATADIR/mariadb_upgrade_info"
  sync "$DATADIR"
  rm "$MARKER"
  log "the database is ready to be started"
}

server_version() { mariadbd --no-defaults --version | grep -o '[0-9]*\.[0-9]*\.[0-9]*-MariaDB' | head -n 1 | tr -d '\n'
}
series() { cut -d . -f 1,2 <<< "$1"; }

# Brings the server's own tables up to its version where an earlier one has written them. Nobody else is connected
# meanwhile.
upgrade() {
  local server log=/tmp/upgrade.log
  log "bringing the server's own tables up to $(server_version)"
  trap 'exit 143' TERM INT
  "$@" --skip-networking --socket="$INIT_SOCKET" --skip-grant-tables --skip-slave-start --event-scheduler=OFF &
  server=$!
  trap 'kill -TERM $server 2>/dev/null; wait $server; exit 143' TERM INT
  until mariadb --no-defaults --socket="$INIT_SOCKET" --user=root -e 'SELECT 1' > /dev/null 2>&1; do
    kill -0 $server 2>/dev/null || fail "the server did not start; its messages are above"
    sleep 0.2
  done
  mariadb-upgrade --no-defaults --socket="$INIT_SOCKET" --user=root --upgrade-system-tables --force > "$log" 2>&1 ||
    { cat "$log" >&2; fail "mariadb-upgrade failed"; }
  kill -TERM $server
  wait $server || fail "the temporary server did not shut down cleanly"
  trap - TERM INT
  server_version > "$DATADIR/mariadb_upgrade_info"
  sync "$DATADIR"
}

# What has written the data last; nothing where it is not said.
data_version() { cat "$DATADIR/mariadb_upgrade_info" 2>/dev/null || cat "$DATADIR/mysql_upgrade_info" 2>/dev/null ||
  :; }

case "${1:-}" in
  "" | -*) set -- mariadbd "$@" ;;
  mysqld) set -- mariadbd "${@:2}" ;;
esac

if [ "$1" = mariadbd ]; then
  [ -w "$DATADIR" ] || fail "uid $(id -u) can't write to $DATADIR; give the volume to it: chown -R $(id -u):$(id -g)"
  entries=$(find "$DATADIR" -mindepth 1 -maxdepth 1 ! -name lost+found -print -quit)
  if [ -z "$entries" ] || [ -e "$MARKER" ]; then initialise "$@"
  elif [ "$(series "$(data_version)")" != "$(series "$(server_version)")" ]; then upgrade "$@"; fi
  unset "${!MARIADB_@}" "${!MYSQL_@}"
fi
exec "$@"
