#!/bin/sh
# A release by docker compose, of the image in $IMAGE: migrations first, then the services, in one of two ways.
# release.sh compose    `docker compose up --detach --wait`: recreates each container
# release.sh rollout    what docker-rollout does for each service: as many new containers beside the old, wait until
# they are healthy, stop the old
set -eu
cd /peer
compose() { docker compose --progress quiet "$@"; }

rollout() {
  old=$(compose ps --quiet "$1")
  count=$(printf '%s\n' "$old" | wc -l)
  compose up --detach --no-deps --no-recreate --scale "$1=$((count * 2))" "$1"
  new=$(compose ps --quiet "$1" | grep -vF "$old")
  waited=0
  while docker inspect --format '{{.State.Health.Status}}' $new | grep -qv '^healthy$'; do
    waited=$((waited + 1))
    [ "$waited" -lt 120 ] || { echo "the new containers of $1 are not healthy" >&2; exit 1; }
    sleep 1
  done
  docker stop $old > /dev/null
  docker rm $old > /dev/null
}

compose run --rm --no-deps --name peer-migrate -T app php artisan migrate --force --isolated
case $1 in
  compose) compose up --detach --wait app horizon scheduler ;;
  rollout)
    rollout app
    rollout horizon
    # Two schedulers would run each task twice.
    compose up --detach --wait --no-deps scheduler
    ;;
esac
