#!/bin/sh
# Dumps the database before migrations change it, and proves the dump by restoring it into a throwaway server. Does nothing when no
# migration is pending, or when there is nothing to lose yet.
# IMAGE, NETWORK, APP_PATH, RUN_AS, MEMORY, LABELS: see one-off.sh; NAME: of the one-off container; RELEASE
# DATABASE: its container; DATABASE_IMAGE; DATABASE_USER: uid:gid; ENGINE: mariadb|mysql; SCHEMA; VOLUME: for the dumps; KEEP: how many
# Standard input, two lines: base64 of a tar with the .env file and scripts; base64 of the database client's option file
set -eu
fail() { echo "backup: $*; nothing was migrated, nothing was switched." >&2; exit 1; }
. commands/one-off.sh
read -r files
read -r options

docker rm --force --volumes "$NAME" >/dev/null 2>&1 || true
printf '%s' "$files" | one_off "$NAME" php /drydock/pending.php "$APP_PATH" || fail "the one-off container could not be made from $IMAGE"
answer=$(docker start --attach "$NAME") || { docker rm --volumes "$NAME" >/dev/null; fail "the pending migrations could not be read: $answer"; }
docker rm --volumes "$NAME" >/dev/null
case $answer in
  *'"pending":[]'*) echo "no migration is pending: no backup is needed"; exit 0 ;;
  *'"tables":0}'*) echo "the database is empty: there is nothing to back up"; exit 0 ;;
  *'"pending":['*) echo "backup before migrating: $answer" ;;
  *) fail "the pending migrations could not be read: $answer" ;;
esac

file="before-$RELEASE-$(date -u +%Y%m%dT%H%M%SZ).sql.gz"
# In a container of its own, of the server's own image: the dump tool fits the server, and a failure costs the server nothing.
# shellcheck disable=SC2086
printf '%s' "$options" | docker run --rm --interactive $LABELS --network "$NETWORK" --user "$DATABASE_USER" --cap-drop ALL --security-opt no-new-privileges \
  --memory 768m --mount "type=volume,source=$VOLUME,target=/backups" --entrypoint /bin/sh \
  --env ENGINE="$ENGINE" --env SCHEMA="$SCHEMA" --env FILE="$file" --env KEEP="$KEEP" "$DATABASE_IMAGE" -c "$(cat commands/dump.sh)" \
  || fail "the database could not be backed up (see above)"
