#!/bin/sh
# Puts Drydock's own files into the volume that the application's containers have at /drydock. They are root's: who
# breaks into one can't change them.
# IMAGE: any image with a shell and coreutils; VOLUME; LABELS: words for docker run
set -eu
. commands/functions/throwaway.sh
# doctor.php and reach.php are delivered for one look each time.
for file in runtime/*.php runtime/*.sh; do
  case $file in runtime/doctor.php | runtime/reach.php) continue ;; esac
  printf '%s %s\n' "${file#runtime/}" "$(base64 < "$file" | tr -d '\n')"
done |
  throwaway 0:0 none 64 --interactive --read-only \
    --mount "type=volume,source=$VOLUME,target=/drydock,volume-nocopy" --entrypoint /bin/sh "$IMAGE" -euc '
    while read -r name content; do
      printf %s "$content" | base64 -d > "/drydock/.$name"
      chmod 0555 "/drydock/.$name"
      mv "/drydock/.$name" "/drydock/$name"
    done'
