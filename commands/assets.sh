#!/bin/sh
# Makes the release's public files ready in the volume that nginx serves. What is served changes with the switch, not
# here.
# IMAGE; VOLUME; APP_PATH; RUN_AS: uid:gid; LABELS: words; RELEASE; PROXY: container; DAYS: how long hashed files of
# earlier releases stay
# HASHED: which ones these are, a regular expression; PERSISTENT: lines "VOLUME PATH public|private": folders that are
# kept
set -eu
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
# shellcheck disable=SC2086
cat runtime/publicFiles.php runtime/assets.php | docker run --rm --interactive --log-driver none $LABELS \
  --network none --user "$RUN_AS" \
  --cap-drop ALL --security-opt no-new-privileges --ulimit core=0 --pids-limit 1024 --read-only --memory 256m \
  --mount "type=volume,source=$VOLUME,target=/public,volume-nocopy" "$@" --entrypoint php "$IMAGE" \
  -d display_errors=stderr -- "$APP_PATH" "$RELEASE" "$serving" "$DAYS" "$HASHED" "{$kept}"
