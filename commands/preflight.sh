#!/bin/sh
# Looks into the image of the release, before anything is changed: what the release needs that it lacks, what in it
# would win over the
# stack's variables, and what Laravel makes of them. Refuses what can't be made harmless; warns of the rest.
# IMAGE, NETWORK, APP_PATH, RUN_AS, MEMORY, LABELS, MORE: see functions/one-off.sh; NAME: of the container; STACK
# STAGE: APP_ENV; SECRETS: names of the variables that are in Laravel's .env file alone, words
# HORIZON: 1 where the stack runs it; OWN_START: 1 where the image's own start is used
# Standard input, two lines: what runtime/preflight.php reads; base64 of a tar with the .env files and scripts
set -eu
fail() { echo "preflight: $*" >&2; exit 1; }
warn() { echo "preflight: WARNING: $*" >&2; }
. commands/functions/answer.sh
. commands/functions/one-off.sh
read -r plan
read -r files

# Few calls: on a host over ssh each takes two round trips.
format='{{println .Config.User}}{{println .Config.WorkingDir}}{{range .Config.Env}}{{println .}}{{end}}'
inside=$(docker image inspect -f "$format" "$IMAGE") || fail "the image $IMAGE can't be inspected"
user=$(printf '%s\n' "$inside" | head -n 1)
folder=$(printf '%s\n' "$inside" | sed -n 2p)
wins=
for name in $SECRETS APP_CONFIG_CACHE; do
  case "
$inside" in *"
$name="*) wins="$wins $name" ;; esac
done
[ -z "$wins" ] || fail "the image sets$wins (ENV in its Dockerfile), which would win over this stack's.
Nothing was changed. Remove these lines from the Dockerfile, and build the image anew; what is secret" \
    "in it counts as known."

remove() { docker rm --force --volumes "$NAME" >/dev/null 2>&1 || :; }
# Without the release's own files at first: what is the image's own?
LABELS="$LABELS --rm --interactive"
set -- "$NAME" /bin/sh -c 'php /drydock/image.php "$@" && exec php /drydock/preflight.php "$1"' \
  image "$APP_PATH" "$HORIZON" "$OWN_START" "$user" "$folder"
# One that was cut off may have left its container.
{ said=$(made "$@" 2>&1) || { remove; made "$@"; }; } || fail "the one-off container could not be made from $IMAGE"
trap remove EXIT
own=$(
  for file in .env ".env.$STAGE" bootstrap/cache/config.php; do
    { ! docker cp "$NAME:$APP_PATH/$file" - >/dev/null 2>&1 || echo "$file"; } &
  done | LC_ALL=C sort
)
# shellcheck disable=SC2086 # a list of words
[ -z "$own" ] || warn "the image has $(echo $own) in $APP_PATH. This stack's variables take their place; who has the" \
    "image can read them. \
Leave them out of it: lines for .env, .env.* and bootstrap/cache/*.php in .dockerignore"

printf '%s' "$files" | base64 -d | docker cp - "$NAME:/" \
  || fail "the environment could not be delivered into the one-off container"
code=0
said=$(printf '%s' "$plan" | timeout 120 docker start --attach --interactive "$NAME") || code=$?
case $code in
  # It has ended, and is gone with it.
  0 | 3) trap - EXIT ;;
esac
case $code in
  3) fail "$IMAGE is not what the release needs (see above); nothing was changed" ;;
  126 | 127) fail "php could not be run in $IMAGE (see above): it has to be on the image's PATH. Nothing was changed" ;;
esac
answer=$(printf '%s\n' "$said" | answered) \
  || fail "the application does not start with the variables of this stack, so nothing was changed:
$said"
printf '%s\n' "$answer" | STACK=$STACK node --import tsx commands/parts/judge-preflight.ts
