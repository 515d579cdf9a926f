# A function that backs the database up; read by other scripts, not run by itself.
# AGENT: the backup agent's container; only where there is none, the database is dumped in a container of its own, and
# these are needed:
# LABELS (words), NETWORK, DATABASE_USER (uid:gid), DATABASE_IMAGE, ENGINE, SCHEMA, VOLUME (for the dumps), KEEP (how
# many)
# shellcheck shell=sh

. commands/functions/throwaway.sh

# back_up REASON: answers when the backup was restored and compared.
back_up() {
  if [ -n "${AGENT:-}" ]; then
    said=$(docker exec "$AGENT" agent run --type db --reason "$1" </dev/null 2>&1) || { echo "$said" >&2; return 1; }
    echo "$said" | grep '^backup '
  elif [ -z "$DATABASE_IMAGE" ]; then
    echo "backup: WARNING: no backup is made before these migrations: the database is a server elsewhere, and" \
        "drydock:backup.enabled is false" >&2
  else
    _dump "$1-$(date -u +%Y%m%dT%H%M%SZ).sql.gz"
  fi
}

# _dump FILE: standard input is base64 of the client's option file. The image is the server's own: its dump tool fits
# the server, and a
# failure costs the server nothing.
_dump() {
  throwaway "$DATABASE_USER" "$NETWORK" 768 --interactive \
    --mount "type=volume,source=$VOLUME,target=/backups" --entrypoint /bin/sh \
    --env ENGINE="$ENGINE" --env SCHEMA="$SCHEMA" --env FILE="$1" --env KEEP="$KEEP" \
    "$DATABASE_IMAGE" -c "$(cat commands/inside/dump.sh)"
}
