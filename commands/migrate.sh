#!/bin/sh
# Runs the migrations in a one-off container of the new image, with the new environment.
# IMAGE, NETWORK, APP_PATH, RUN_AS, MEMORY, LABELS: see one-off.sh; NAME: of the container, one a stack: it is the lock; TIMEOUT: seconds
# Standard input: base64 of a tar with the .env file and start.sh
set -eu
fail() { echo "migrate: $*" >&2; exit 1; }
. commands/one-off.sh
unlock=

# A container of this name is a migration of this stack that runs, or one whose Pulumi was killed. Let a running one finish:
# stopping a migration halfway is worse than waiting for it.
if state=$(docker inspect -f '{{.State.Running}} {{.State.ExitCode}}' "$NAME" 2>/dev/null); then
  if [ "${state% *}" = true ]; then
    echo "migrate: another migration of this stack runs in $NAME: waiting up to $TIMEOUT s for it"
    timeout "$TIMEOUT" docker wait "$NAME" >/dev/null \
      || fail "$NAME still runs after $TIMEOUT s. Look at it (docker logs $NAME), then run the same command again."
    state="false $(docker inspect -f '{{.State.ExitCode}}' "$NAME" 2>/dev/null || echo 0)"
  fi
  # Killed: Laravel's own lock outlives it for an hour, and nobody else can hold it now.
  [ "${state#* }" -lt 128 ] || unlock='php /drydock/unlock.php "$DRYDOCK_PATH" && '
  docker rm --force --volumes "$NAME" >/dev/null
fi

# 75: Laravel's exit code for "another one holds the lock", chosen here, because the default for it is 0, the same as for success.
one_off "$NAME" /bin/sh -c "${unlock}exec php artisan migrate --force --isolated=75" \
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
