#!/bin/sh
# Gives the shared volumes to the users that write to them (incident 9: uid of the container and owner of the files
# differ), each with a folder in it:
# into an empty one Docker copies the image's folder at that place, with its owner, when a container with it is made.
# IMAGE: any image with a shell and coreutils; OWNERS: lines "VOLUME UID:GID FOLDER"; LABELS: arguments for docker run
set -eu
. commands/functions/throwaway.sh
echo "$OWNERS" | while read -r volume owner folder; do
  [ -n "$volume" ] || continue
  throwaway 0:0 none 128 --cap-add CHOWN --cap-add FOWNER --cap-add DAC_OVERRIDE --read-only --entrypoint /bin/sh \
    --mount "type=volume,source=$volume,target=/volume,volume-nocopy" "$IMAGE" \
    -euc '[ "$(stat -c %u:%g /volume)" = "$0" ] || chown -R "$0" /volume
      [ -e "/volume/$1" ] || [ -L "/volume/$1" ] || { mkdir "/volume/$1"; chown "$0" "/volume/$1"; }' \
    "$owner" "$folder" </dev/null
  echo "$volume belongs to $owner"
done
