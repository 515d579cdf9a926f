#!/bin/sh
# Makes a folder in a volume of another user's, and gives it to who measures the stack: nginx writes to a socket there.
# IMAGE: any image with a shell and coreutils; VOLUME; FOLDER: its name there; OWNER: UID:GID; LABELS: arguments for
# docker run
set -eu
. commands/functions/throwaway.sh
throwaway 0:0 none 128 --cap-add CHOWN --cap-add FOWNER --cap-add DAC_OVERRIDE --read-only --entrypoint /bin/sh \
  --mount "type=volume,source=$VOLUME,target=/volume,volume-nocopy" "$IMAGE" \
  -euc 'mkdir -p "/volume/$1"; chown "$0" "/volume/$1"; chmod 755 "/volume/$1"' "$OWNER" "$FOLDER" </dev/null
echo "$FOLDER in $VOLUME belongs to $OWNER"
