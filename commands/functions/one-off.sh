# Functions for a one-off container of the new image with the new environment; read by other scripts, not run by itself.
# They need IMAGE, NETWORK, APP_PATH, RUN_AS (uid:gid), MEMORY (MiB), LABELS (words)
# MORE: what else it has as a replica has it, variables and volumes, as arguments of `docker create` that are quoted for
# a shell
# ALSO: more networks, words
# shellcheck shell=sh

. commands/functions/throwaway.sh

_tmpfs() { echo "--tmpfs $APP_PATH/$1:rw,noexec,nosuid,uid=${RUN_AS%:*},gid=${RUN_AS#*:},mode=700,size=64m"; }

# one_off NAME COMMAND...: makes the container; the tar on standard input, as base64, is put into it before it starts.
one_off() {
  made "$@" || return 1
  base64 -d | docker cp - "$1:/" || { docker rm --force --volumes "$1" >/dev/null; return 1; }
}

# made NAME COMMAND...: the same without any file
made() {
  name=$1
  shift
  set -- --entrypoint /bin/sh "$IMAGE" /drydock/start.sh "$@"
  # A stack of an earlier version has no volume for logs.
  # shellcheck disable=SC2034 # read in the eval below
  case ${MORE:-} in *"$APP_PATH/storage/logs"*) logs= ;; *) logs=$(_tmpfs storage/logs) ;; esac
  # shellcheck disable=SC2046,SC2086 # lists of words
  eval "docker create --name \"\$name\" \$LABELS --network \"\$NETWORK\" --user \"\$RUN_AS\" --init \
    \$CONFINED --pids-limit 1024 --memory \"\${MEMORY}m\" \
    --log-driver json-file --log-opt max-size=10m \
    \$(_tmpfs bootstrap/cache) \$(_tmpfs storage/framework) \$logs --env \"DRYDOCK_PATH=\$APP_PATH\" \
    ${MORE:-} \"\$@\"" >/dev/null || return 1
  for also in ${ALSO:-}; do
    docker network connect "$also" "$name" || { docker rm --force --volumes "$name" >/dev/null; return 1; }
  done
}
