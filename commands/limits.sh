#!/bin/sh
# Limits how many processes and threads each of these containers may have: one that makes more and more of them would
# fill the host's table.
# The Docker provider has no setting for it (and a user's own limit, nproc, counts all containers of that user
# together). Docker keeps it
# through restarts. By itself, and by other steps before what they switch to.
# CONTAINERS: words; PROCESSES: count
set -eu
[ -n "$CONTAINERS" ] || exit 0
# shellcheck disable=SC2086 # CONTAINERS is a list of words
said=$(docker update --pids-limit "$PROCESSES" $CONTAINERS 2>&1) || {
  echo "limits: WARNING: the processes of $CONTAINERS could not be limited:" \
    "$(printf '%s\n' "$said" | grep . | tail -n 2)" >&2
  exit 0
}
# A kernel without the cgroup `pids` is a warning to Docker as well.
printf '%s\n' "$said" | sed -n '/[Kk]ernel\|[Ww]arning/s/^/limits: WARNING: /p' >&2
