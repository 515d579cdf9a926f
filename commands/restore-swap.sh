# Runs inside the database's container. Puts a restored schema in the live one's place in one RENAME TABLE, and keeps what was live.
# $1 client; $2 live schema; $3 restored schema; $4 name for what was live
# Views, triggers, routines and events can't be renamed from schema to schema: they are dumped, dropped and made again on both sides.
set -eu
umask 077
client=$1 live=$2 restored=$3 previous=$4
MYSQL_PWD=$(cat /run/drydock/root-password)
export MYSQL_PWD
work=$(mktemp -d)
# A caller that has gone ends nothing: what was begun is brought to an end.
trap 'rm -rf "$work"' EXIT
trap '' HUP PIPE
fail() { echo "$*" >&2; exit 1; }
sql() { "$client" --no-defaults --protocol=socket --user=root --batch --skip-column-names "$@"; }
names() { sql -e "SELECT $2 FROM information_schema.$1 WHERE $3 = '$4'"; }
tables() { sql -e "SELECT table_name FROM information_schema.tables WHERE table_schema = '$1' AND table_type IN ('BASE TABLE', 'SEQUENCE')"; }

# objects SCHEMA FILE: what makes its views, routines, events and triggers again.
objects() {
  dump="${client}-dump"
  command -v "$dump" >/dev/null || dump=mysqldump
  # Otherwise a MySQL that counts its transactions is told to count them from here on, refuses, and takes nothing of what follows.
  gtid=
  [ "$client" != mysql ] || gtid=--set-gtid-purged=OFF
  "$dump" --no-defaults $gtid --protocol=socket --user=root --no-data --no-create-info --no-create-db --routines --triggers --events --skip-opt --quote-names "$1" > "$2"
  names views table_name table_schema "$1" > "$work/views"
  # shellcheck disable=SC2046 # a list of names without spaces
  [ ! -s "$work/views" ] || "$dump" --no-defaults $gtid --protocol=socket --user=root --no-data --skip-opt --quote-names --skip-triggers "$1" $(cat "$work/views") >> "$2"
}
# drops SCHEMA: prints the statements that take them away.
drops() {
  names triggers trigger_name trigger_schema "$1" | sed "s/.*/DROP TRIGGER \`$1\`.\`&\`;/"
  names views table_name table_schema "$1" | sed "s/.*/DROP VIEW \`$1\`.\`&\`;/"
  names events event_name event_schema "$1" | sed "s/.*/DROP EVENT \`$1\`.\`&\`;/"
  sql -e "SELECT CONCAT('DROP ', routine_type, ' \`$1\`.\`', routine_name, '\`;') FROM information_schema.routines WHERE routine_schema = '$1'"
}

objects "$live" "$work/live.sql"
objects "$restored" "$work/restored.sql"
{ tables "$live" | sed "s/.*/\`$live\`.\`&\` TO \`$previous\`.\`&\`/"; tables "$restored" | sed "s/.*/\`$restored\`.\`&\` TO \`$live\`.\`&\`/"; } > "$work/renames"
[ -s "$work/renames" ] || fail "neither $live nor $restored has a table"
sql -e "CREATE DATABASE \`$previous\`; ALTER DATABASE \`$previous\` CHARACTER SET utf8mb4" || fail "the schema $previous could not be made"

drops "$live" > "$work/drop-live.sql"
drops "$restored" > "$work/drop-restored.sql"
back() { sql "$live" < "$work/live.sql" || true; sql -e "DROP DATABASE \`$previous\`"; fail "$1; what was live still is"; }
sql < "$work/drop-live.sql" || back "views and triggers of $live could not be set aside"
sql < "$work/drop-restored.sql" || back "views and triggers of $restored could not be set aside"
# One statement: there is either the old or the new. Somebody who still writes makes it fail after half a minute, not wait for ever.
{ echo "SET SESSION foreign_key_checks = 0, lock_wait_timeout = 30; RENAME TABLE"; paste -sd, "$work/renames"; echo ";"; } | sql || back "the tables could not be renamed: somebody still uses them"
sql "$live" < "$work/restored.sql" || echo "! views, triggers, routines or events of $live could not all be made again; they are in the backup" >&2
sql "$previous" < "$work/live.sql" 2>/dev/null || echo "! views, triggers, routines or events of $previous could not all be made again" >&2
# What is kept does nothing by itself.
names events event_name event_schema "$previous" | sed "s/.*/ALTER EVENT \`$previous\`.\`&\` DISABLE;/" | sql
sql -e "DROP DATABASE \`$restored\`"
echo "swapped"
