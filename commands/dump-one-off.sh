# A function that dumps the database in a container of its own; read by other scripts, not run by itself.
# LABELS (words), NETWORK, DATABASE_USER (uid:gid), DATABASE_IMAGE, ENGINE, SCHEMA, VOLUME (for the dumps), KEEP (how many)
# shellcheck shell=sh

# dump_into FILE: standard input is base64 of the client's option file. The image is the server's own: its dump tool fits the server, and a
# failure costs the server nothing.
dump_into() {
  # shellcheck disable=SC2086
  docker run --rm --interactive $LABELS --network "$NETWORK" --user "$DATABASE_USER" --cap-drop ALL --security-opt no-new-privileges \
    --memory 768m --mount "type=volume,source=$VOLUME,target=/backups" --entrypoint /bin/sh \
    --env ENGINE="$ENGINE" --env SCHEMA="$SCHEMA" --env FILE="$1" --env KEEP="$KEEP" "$DATABASE_IMAGE" -c "$(cat commands/dump.sh)"
}
