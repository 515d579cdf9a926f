# shellcheck shell=sh
# Runs inside a container of the database's image. ENGINE, SCHEMA, FILE, KEEP; standard input: base64 of the client's
# option file
set -eu
umask 077
fail() { echo "backup: $*" >&2; rm -f "/backups/$FILE.part"; exit 1; }
# Which transactions a MySQL has counted is no part of the data: the server that it is restored into has counts of its
# own.
if [ "$ENGINE" = mysql ]; then client=mysql dump=mysqldump server=mysqld gtid=--set-gtid-purged=OFF
else client=mariadb dump=mariadb-dump server=mariadbd gtid=; fi
work=$(mktemp -d)
base64 -d > "$work/client.cnf"

tables="SELECT CONCAT(table_name, ' ', table_type) FROM information_schema.tables
  WHERE table_schema = '$SCHEMA' ORDER BY 1"
before=$("$client" --defaults-file="$work/client.cnf" --host=database -N -e "$tables") ||
  fail "the database does not answer"
# One transaction: a consistent picture, and nobody who writes has to wait.
"$dump" --defaults-file="$work/client.cnf" $gtid --host=database --single-transaction --quick --routines --triggers \
  --events --no-tablespaces \
  --hex-blob "$SCHEMA" > "$work/dump.sql" || fail "the dump failed"
tail -c 200 "$work/dump.sql" | grep -q '^-- Dump completed' || fail "the dump is not complete"
gzip -1 < "$work/dump.sql" > "/backups/$FILE.part" || fail "the dump could not be written: is the disk full?"

# A backup counts once it has been restored: into a server of its own, reachable by nobody.
if [ "$ENGINE" = mysql ]; then
  mysqld --no-defaults --initialize-insecure --datadir="$work/data" > "$work/server.log" 2>&1 ||
    fail "no throwaway server: $(tail -n 3 "$work/server.log")"
else
  mariadb-install-db --no-defaults --datadir="$work/data" --auth-root-authentication-method=normal \
    --skip-test-db > "$work/server.log" 2>&1 \
    || fail "no throwaway server: $(tail -n 3 "$work/server.log")"
fi
"$server" --no-defaults --datadir="$work/data" --skip-networking --socket="$work/sock" --pid-file="$work/pid" \
  --log-error="$work/server.log" \
  --innodb-buffer-pool-size=64M --innodb-flush-log-at-trx-commit=0 &
pid=$!
throwaway() { "$client" --no-defaults --socket="$work/sock" --user=root "$@"; }
tries=0
until throwaway -e 'SELECT 1' >/dev/null 2>&1; do
  tries=$((tries + 1))
  if [ "$tries" -gt 120 ] || ! kill -0 "$pid" 2>/dev/null; then
    fail "no throwaway server: $(tail -n 3 "$work/server.log")"; fi
  sleep 0.5
done
throwaway -e "CREATE DATABASE \`$SCHEMA\` CHARACTER SET utf8mb4"
gzip -dc "/backups/$FILE.part" | throwaway "$SCHEMA" || fail "the dump could not be restored"
after=$(throwaway -N -e "$tables")
[ "$before" = "$after" ] || fail "the restored dump has other tables than the database"
kill "$pid"
wait "$pid" || true

mv "/backups/$FILE.part" "/backups/$FILE"
echo "backup: $FILE, $(wc -c < "/backups/$FILE") bytes, restored into a throwaway server:" \
  "$(echo "$after" | wc -l) tables"
ls -1t /backups/before-*.sql.gz | tail -n +$((KEEP + 1)) | while read -r old; do rm -f "$old"; done
rm -rf "$work" /backups/*.part
