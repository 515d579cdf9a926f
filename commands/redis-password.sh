#!/bin/sh
# Has Redis take Laravel's password, while it runs. An earlier one is taken too until the release is proven: what still
# serves has that one.
# REDIS: container
# NETWORK, APP_PATH: where set, the earlier one is taken away. The network that Redis and Laravel share; those there
# that still have the
# earlier one are about to go, and finish their work first. ADDED: what was printed when this one was added; says when
# to run again
# Standard input: line 1: # and the password's SHA-256, as Redis writes it in an ACL; line 2: {"names":
# {"REDIS_PASSWORD": its keyed hash}}
set -eu
fail() { echo "redis-password: $*. Until it is run again, Redis takes what it took before: ./drydock up" >&2; exit 1; }
in_redis() {
  docker exec -i "$REDIS" /bin/sh -c "cli() { sh /run/drydock/redis-cli.sh \"\$@\"; }; $1" \
    redis-password "${2:-}" "${3:-}"
}
earlier() {
  names=$(for role in app worker horizon scheduler; do docker ps --filter "network=$NETWORK" \
    --filter "label=drydock.role=$role" --format '{{.Names}}' || exit; done) ||
      fail "Docker does not say who is on $NETWORK"
  for name in $names; do
    case $(printf '%s' "$plan" | docker exec -i "$name" php /drydock/readback.php "$APP_PATH" 2>/dev/null) in
      *'"differs":["REDIS_PASSWORD"]'*) echo "$name" ;;
    esac
  done
}
{ read -r hash; read -r plan; }
. commands/inside/redis-rights.sh

if [ -n "${NETWORK:-}" ]; then
  taken=$(in_redis 'cli acl list | grep "^user default " | tr -cd "#" | wc -c' </dev/null) ||
    fail "$REDIS does not say which passwords it takes"
  [ "$taken" -lt 2 ] || old=$(earlier)
  # shellcheck disable=SC2086 # a list of words
  [ -z "${old:-}" ] || docker stop $old >/dev/null || fail "these could not be stopped:" $old
fi

# Redis's answers could hold hashes: they are not shown.
printf '%s' "$hash" | in_redis '
  umask 077
  set -f
  # The rights, too: a server that was started earlier may have others.
  [ "$(cli -x acl setuser default on $2 $1)" = OK ] || exit 1
  # Nobody else has an account here: one that somebody made would outlive the change of a password that was taken.
  for user in $(cli acl users); do
    case $user in default | drydock) ;; *) cli acl deluser "$user" >/dev/null || exit 1
    echo "an account that is not of the stack is gone: $user" >&2 ;; esac
  done
  cli acl list | grep "^user default " | dd of=/data/users.new conv=fsync 2>/dev/null
  [ -s /data/users.new ] && mv /data/users.new /data/users.acl
' "${NETWORK:+resetpass}" "$RIGHTS" || fail "$REDIS did not take the password"
echo "$REDIS takes ${NETWORK:+only }this release's password since $(date -u +%FT%TZ)"
