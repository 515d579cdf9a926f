#!/bin/sh
# Looks at the database's server before the one that serves is stopped: whether its image takes the options, and reads
# the data that is
# there. Where it is of a later series, the data is backed up first, and the backup restored to prove it.
# IMAGE; ENGINE: mariadb|mysql; OPTIONS: of its command line, one a line; RUN_AS: uid:gid; LABELS: words; STACK
# VOLUME: with the data; BACKUPS: the volume of the agent's repository, which tells whose agent is this stack's
set -eu
fail() { echo "database-check: $*" >&2; exit 1; }
. commands/functions/root-sql.sh
. commands/functions/throwaway.sh
in_image() { throwaway "$RUN_AS" none 512 "$@"; }
if [ "$ENGINE" = mysql ]; then server=mysqld; else server=mariadbd; fi
version=$(in_image --entrypoint "$server" "$IMAGE" --no-defaults --version 2>&1) \
  || fail "the image $IMAGE has no $server, which drydock:database.engine ($ENGINE) needs; nothing was changed:" \
      "$version"

its=${version#*Ver }
its=${its%% *}

# The server's own judgement of its options: one that it does not take would keep it from starting.
set -f
old=$IFS
IFS='
'
# shellcheck disable=SC2086 # one word a line
set -- $OPTIONS
IFS=$old
set +f
said=$(in_image --entrypoint "$server" "$IMAGE" "$@" --verbose --help 2>&1 >/dev/null) \
  || fail "the server of $IMAGE does not take its options (drydock:database.options); nothing was changed:
$(printf '%s\n' "$said" | grep -i 'error\|unknown' | head -n 5)"

# Who has written the data: the server that serves says so; else what it has left.
serving=$(docker ps --filter "volume=$VOLUME" --filter label=drydock.role=database --format '{{.Names}}' | head -n 1)
data=
[ -z "$serving" ] || data=$(echo "SELECT VERSION()" | as_root "$serving" --skip-column-names 2>/dev/null) || data=
# shellcheck disable=SC2016 # for the shell in the container
[ -n "$data" ] || data=$(in_image --mount "type=volume,source=$VOLUME,target=/data,readonly,volume-nocopy" \
  --entrypoint /bin/sh "$IMAGE" -c '
  cd /data 2>/dev/null || exit 0
  if [ -e aria_log_control ]; then engine=mariadb; elif [ -e mysql.ibd ]; then engine=mysql; else exit 0; fi
  for file in mariadb_upgrade_info mysql_upgrade_info mysql_upgrade_history; do
    [ ! -s "$file" ] || { echo "$engine $(tr -d "\n" < "$file" | sed "s/.*\"version\": *\"//")"; exit 0; }
  done
  echo "$engine"')
case $data in
  '') echo "a new database, for $its"; exit 0 ;;
  mariadb | mysql)
    # Its version stands nowhere; at least it must be the same engine's.
    [ "$data" = "$ENGINE" ] || fail "the data was written by another engine ($data); nothing was changed. Keep it:" \
        "pulumi config set --path drydock:database.engine $data -s $STACK"
    echo "database-check: WARNING: the server does not run, and its data does not say its version: see to it that the" \
        "image is not older" >&2
    exit 0 ;;
esac
kind=$(DATA=$data SERVER=$version ENGINE=$ENGINE STACK=$STACK node --import tsx commands/parts/judge-database.ts) ||
  exit 1
[ "$kind" = upgrade ] || { echo "the data is of this server's series"; exit 0; }

agent=$(docker ps --filter "volume=$BACKUPS" --filter label=drydock.role=backup --format '{{.Names}}' | head -n 1)
if [ -z "$agent" ]; then
  echo "database-check: WARNING: nothing backs this stack up, and the data is about to become a later server's: there" \
      "is no way back" >&2
else
  [ -n "$serving" ] || fail "the database does not run, so its data can't be backed up before it becomes a later" \
      "server's. Nothing was changed. Start it: docker start its container; or put the image back"
  said=$(docker exec "$agent" agent run --type db --reason "before $its" </dev/null 2>&1) \
    || fail "the data could not be backed up before it becomes a later server's; nothing was changed:
$(printf '%s\n' "$said" | tail -n 5)"
fi
echo "the data becomes that of $its"
