#!/bin/sh
# Makes the release's public files ready in the volume that nginx serves. What is served changes with the switch, not
# here.
# IMAGE; VOLUME; APP_PATH; RUN_AS: uid:gid; LABELS: words; RELEASE; PROXY: container; DAYS: how long hashed files of
# earlier releases stay
# HASHED: which ones these are, a regular expression; PERSISTENT: lines "VOLUME PATH public|private": folders that are
# kept
set -eu
. commands/functions/throwaway.sh
# Which release is served; where the proxy can't be asked, nothing of any is removed.
serving=$(docker exec "$PROXY" sed -n 's|^  root .*/releases/\([0-9a-f]*\);$|\1|p' /var/lib/drydock/site.conf 2>&1) || {
  case $serving in *"No such file"*) serving="" ;; *) serving="?" ;; esac
}
number=0
kept=
set --
while read -r volume path visibility; do
  [ -n "$volume" ] || continue
  number=$((number + 1))
  set -- "$@" --mount "type=volume,source=$volume,target=/persistent/$number,volume-nocopy"
  [ "$visibility" = public ] && public=true || public=false
  kept="$kept${kept:+,}\"$path\":{\"folder\":\"/persistent/$number\",\"public\":$public}"
done <<END
${PERSISTENT-}
END
cat runtime/publicFiles.php runtime/assets.php | throwaway "$RUN_AS" none 256 --interactive --read-only \
  --mount "type=volume,source=$VOLUME,target=/public,volume-nocopy" "$@" --entrypoint php "$IMAGE" \
  -d display_errors=stderr -- "$APP_PATH" "$RELEASE" "$serving" "$DAYS" "$HASHED" "{$kept}"
