#!/bin/sh
# Asks an image what its migrations would do, or rolls some back, in a one-off container with the environment of a
# running replica.
# IMAGE, NETWORK, APP_PATH, RUN_AS, MEMORY, LABELS: see functions/one-off.sh; NAME: of the container; REPLICA: whose
# environment is used; TIMEOUT: seconds
# WHAT: `pending`; or `down=NAMES`, what rolling these back would run; or `rollback=COUNT`, with a backup of the
# database before it:
# DATABASE: its container, empty where the server is elsewhere; AGENT …: see functions/dump-one-off.sh; REASON: of the
# backup, none is made where it is empty. NAME is then the migrations' lock, LOCK_SECONDS how long one of its statements
# waits for a table at a time
# Standard input: base64 of a tar with the scripts of runtime/ that this needs
set -eu
fail() { echo "migrations: $*" >&2; exit 1; }
. commands/functions/one-off.sh
. commands/functions/dump-one-off.sh
files=$(cat)

case $WHAT in
  rollback=*)
    ! docker inspect "$NAME" >/dev/null 2>&1 \
      || fail "$NAME is there: a migration of this stack runs or was interrupted. Look at it (docker logs $NAME); the" \
          "next release puts it right."
    held=$(docker inspect -f '{{index .Config.Labels "drydock.lock.purpose"}}' "${NAME%-migrate}-restore" 2>/dev/null) \
      || held=
    case $held in '' | up) ;; *) fail "a $held is under way or was cut off; nothing was rolled back. See ./drydock" \
        "status" ;; esac
    if [ -n "$REASON" ]; then
      { [ -z "$DATABASE" ] || docker exec "$DATABASE" cat /run/drydock/client.cnf; } | base64 | tr -d '\n' \
        | back_up "$REASON" ||
        fail "the database could not be backed up (see above); nothing was rolled back."
    fi
    set -- php /drydock/migrate.php "$APP_PATH" "$LOCK_SECONDS" "$WHAT"
    LABELS="$LABELS --label drydock.lock.by=$(id -un)@$(uname -n) --label drydock.lock.since=$(date -u +%FT%TZ)
      --label drydock.lock.until=$(($(date +%s) + TIMEOUT))"
    ;;
  pending) set -- php /drydock/pending.php "$APP_PATH" ;;
  *) set -- php /drydock/pending.php "$APP_PATH" "$WHAT" ;;
esac

printf '%s' "$files" | one_off "$NAME" "$@" || fail "the one-off container could not be made from $IMAGE"
trap 'docker rm --force --volumes "$NAME" >/dev/null 2>&1 || true' EXIT
# The variables go from container to container, and through no file, variable or command line.
stage=$(docker inspect -f '{{range .Config.Env}}{{println .}}{{end}}' "$REPLICA" | sed -n 's/^APP_ENV=//p')
docker cp "$REPLICA:$APP_PATH/.env" - | docker cp - "$NAME:$APP_PATH/" ||
  fail "the environment of $REPLICA could not be obtained"
# Where it is, Laravel reads this one instead; replicas of an earlier version have none.
[ -z "$stage" ] || docker cp "$REPLICA:$APP_PATH/.env.$stage" - 2>/dev/null \
  | docker cp - "$NAME:$APP_PATH/" 2>/dev/null || :
timeout "$TIMEOUT" docker start --attach "$NAME" ||
  fail "${WHAT%%=*} failed in $IMAGE (its output is above), or was not done after $TIMEOUT s"
