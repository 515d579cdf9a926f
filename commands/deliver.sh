#!/bin/sh
# Puts Drydock's own files into the volume that the application's containers have at /drydock. They are root's: who
# breaks into one can't change them.
# IMAGE: any image with a shell and coreutils; VOLUME; LABELS: words for docker run
set -eu
# doctor.php and reach.php are delivered for one look each time.
# shellcheck disable=SC2086 # LABELS is a list of words
for file in runtime/*.php runtime/*.sh; do
  case $file in runtime/doctor.php | runtime/reach.php) continue ;; esac
  printf '%s %s\n' "${file#runtime/}" "$(base64 < "$file" | tr -d '\n')"
done |
  docker run --rm --interactive $LABELS --network none --user 0:0 --cap-drop ALL --security-opt no-new-privileges \
    --read-only --memory 64m \
    --mount "type=volume,source=$VOLUME,target=/drydock,volume-nocopy" --entrypoint /bin/sh "$IMAGE" -euc '
    while read -r name content; do
      printf %s "$content" | base64 -d > "/drydock/.$name"
      chmod 0555 "/drydock/.$name"
      mv "/drydock/.$name" "/drydock/$name"
    done'
