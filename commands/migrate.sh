#!/bin/sh
# Runs the migrations in a one-off container of the new image, with the new environment.
# IMAGE, NETWORK, APP_PATH, RUN_AS, MEMORY, LABELS: see functions/one-off.sh; NAME: of the container, one a stack: it is
# the lock;
# TIMEOUT: seconds
# LOCK_SECONDS: how long one of its statements waits for a table at a time
# PENDING: 0 where the judgement of the step before found nothing to migrate
# HOLD: migrations that have to wait for the next release, with commas
# Standard input: base64 of a tar with the .env file and start.sh
set -eu
fail() { echo "migrate: $*" >&2; exit 1; }
. commands/functions/one-off.sh

# The lock of a restore, or of an import: what is migrated now would be swapped away, or be half of each.
restore=${NAME%-migrate}-restore
why=$(docker inspect -f '{{with .Config.Labels}}{{index . "drydock.lock.purpose"}} by {{index . "drydock.lock.by"}}, '\
'since {{index . "drydock.lock.since"}}{{end}}' "$restore" 2>/dev/null) || why=
case $why in
  '' | up\ *) ;;
  *) fail "refused: $why, is under way or was cut off; nothing was migrated and nothing was switched. Wait for it, or" \
      "bring it to its end: ./drydock backup restore --resume" ;;
esac

# A container of this name is a migration of this stack that runs, or one whose Pulumi was killed. Let a running one
# finish, for as long as
# it was given: stopping a migration halfway is worse than waiting for it.
state_of() { docker inspect -f '{{.State.Running}} {{.State.ExitCode}}' "$NAME" 2>/dev/null; }
label() { docker inspect -f "{{index .Config.Labels \"drydock.lock.$1\"}}" "$NAME" 2>/dev/null || true; }
if state=$(state_of); then
  if [ "${state% *}" = true ]; then
    until=$(label until)
    left=$((${until:-0} - $(date +%s)))
    [ "$left" -gt 0 ] || left=1
    [ "$left" -le "$TIMEOUT" ] || left=$TIMEOUT
    echo "migrate: another migration of this stack runs in $NAME, started by $(label by) at $(label since): waiting" \
        "up to $left s for it"
    if ! timeout "$left" docker wait "$NAME" >/dev/null; then
      echo "migrate: the time of $NAME was up at $(label expires): ending it" >&2
      docker kill "$NAME" >/dev/null 2>&1 || true
    fi
    state=$(state_of) || state="false 0"
  fi
  docker rm --force --volumes "$NAME" >/dev/null
elif [ "$PENDING" = 0 ]; then
  echo "no migration is pending"
  exit 0
fi

now=$(date +%s)
LABELS="$LABELS --label drydock.lock.by=$(id -un)@$(uname -n) --label drydock.lock.since=$(date -u +%FT%TZ)
  --label drydock.lock.until=$((now + TIMEOUT))
  --label drydock.lock.expires=$(date -u -d "@$((now + TIMEOUT))" +%FT%TZ 2>/dev/null ||
    date -u -r $((now + TIMEOUT)) +%FT%TZ)"
one_off "$NAME" php /drydock/migrate.php "$APP_PATH" "$LOCK_SECONDS" "$HOLD" \
  || fail "the one-off container could not be made from $IMAGE, or the environment could not be delivered into it;" \
      "nothing was switched."

code=0
timeout "$TIMEOUT" docker start --attach "$NAME" || code=$?
case $code in
  0) docker rm --volumes "$NAME" >/dev/null ;;
  75)
    docker rm --volumes "$NAME" >/dev/null
    fail "skipped: someone else migrates this schema (see above), so nothing was migrated and nothing was switched.
Wait for them, then run the same command again."
    ;;
  124)
    docker kill "$NAME" >/dev/null 2>&1 || true
    fail "still running after $TIMEOUT s, ended; the old release serves. See what ran: docker logs $NAME. Give it" \
        "longer: pulumi config set --path drydock:migrate.timeout SECONDS"
    ;;
  *)
    [ "$code" -ge 128 ] || docker rm --volumes "$NAME" >/dev/null
    fail "failed with exit code $code (its output is above); nothing was switched, the old release serves. Fix the" \
        "migration, then run the same command again."
    ;;
esac
