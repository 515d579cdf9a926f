#!/bin/sh
# Runs the migrations in a one-off container of the new image, with the new environment.
# IMAGE, NETWORK, APP_PATH, RUN_AS, MEMORY, LABELS: see one-off.sh; NAME: of the container, one a stack: it is the lock; TIMEOUT: seconds
# PENDING: 0 where the judgement of the step before found nothing to migrate
# HOLD: migrations that have to wait for the next release, with commas
# Standard input: base64 of a tar with the .env file and start.sh
set -eu
fail() { echo "migrate: $*" >&2; exit 1; }
. commands/one-off.sh
unlock=

# The lock of a restore, or of an import: what is migrated now would be swapped away, or be half of each.
restore=${NAME%-migrate}-restore
why=$(docker inspect -f '{{index .Config.Labels "drydock.lock.purpose"}} by {{index .Config.Labels "drydock.lock.by"}}, since {{index .Config.Labels "drydock.lock.since"}}' "$restore" 2>/dev/null) || why=
case $why in
  '' | up\ *) ;;
  *) fail "refused: $why, is under way or was cut off; nothing was migrated and nothing was switched. Wait for it, or bring it to its end: ./drydock backup restore --resume" ;;
esac

# A container of this name is a migration of this stack that runs, or one whose Pulumi was killed. Let a running one finish, for as long as
# it was given: stopping a migration halfway is worse than waiting for it.
state_of() { docker inspect -f '{{.State.Running}} {{.State.ExitCode}}' "$NAME" 2>/dev/null; }
label() { docker inspect -f "{{index .Config.Labels \"drydock.lock.$1\"}}" "$NAME" 2>/dev/null || true; }
if state=$(state_of); then
  if [ "${state% *}" = true ]; then
    until=$(label until)
    left=$((${until:-0} - $(date +%s)))
    [ "$left" -gt 0 ] || left=1
    [ "$left" -le "$TIMEOUT" ] || left=$TIMEOUT
    echo "migrate: another migration of this stack runs in $NAME, begun by $(label by) at $(label since): waiting up to $left s for it"
    if ! timeout "$left" docker wait "$NAME" >/dev/null; then
      echo "migrate: $NAME has had its time, which is over since $(label expires): ending it" >&2
      docker kill "$NAME" >/dev/null 2>&1 || true
    fi
    state=$(state_of) || state="false 0"
  fi
  # Killed: Laravel's own lock outlives it for an hour, and nobody else can hold it now.
  [ "${state#* }" -lt 128 ] || unlock='php /drydock/unlock.php "$DRYDOCK_PATH" && '
  docker rm --force --volumes "$NAME" >/dev/null
elif [ "$PENDING" = 0 ]; then
  echo "no migration is pending"
  exit 0
fi

# 75: Laravel's exit code for "another one holds the lock", chosen here, because the default for it is 0, the same as for success.
run='exec php artisan migrate --force --isolated=75'
# Without those that wait: Laravel runs single files when it is given them.
# Their names are an argument of the shell in there, and no part of what it runs.
[ -z "$HOLD" ] || run='files=$(php /drydock/pending.php "$DRYDOCK_PATH" "paths=$1") || exit 1
  [ -n "$files" ] || { echo "every pending migration waits for the next release"; exit 0; }
  set -f; IFS="
"
  exec php artisan migrate --force --isolated=75 --realpath $files'
now=$(date +%s)
LABELS="$LABELS --label drydock.lock.by=$(id -un)@$(uname -n) --label drydock.lock.since=$(date -u +%FT%TZ)
  --label drydock.lock.until=$((now + TIMEOUT)) --label drydock.lock.expires=$(date -u -d "@$((now + TIMEOUT))" +%FT%TZ 2>/dev/null || date -u -r $((now + TIMEOUT)) +%FT%TZ)"
one_off "$NAME" /bin/sh -c "$unlock$run" migrate "$HOLD" \
  || fail "the one-off container could not be made from $IMAGE, or the environment could not be delivered into it; nothing was switched."

code=0
timeout "$TIMEOUT" docker start --attach "$NAME" || code=$?
case $code in
  0) docker rm --volumes "$NAME" >/dev/null ;;
  75)
    docker rm --volumes "$NAME" >/dev/null
    fail "skipped: someone else holds Laravel's migration lock, so nothing was migrated and nothing was switched. Wait for them, then run the same command again."
    ;;
  124)
    docker kill "$NAME" >/dev/null 2>&1 || true
    fail "still running after $TIMEOUT s, ended; the old release serves. See what ran: docker logs $NAME. Give it longer: pulumi config set --path drydock:migrate.timeout SECONDS"
    ;;
  *)
    [ "$code" -ge 128 ] || docker rm --volumes "$NAME" >/dev/null
    fail "failed with exit code $code (its output is above); nothing was switched, the old release serves. Mend the migration, then run the same command again."
    ;;
esac
