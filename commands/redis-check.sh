#!/bin/sh
# Has Redis of the image start with its configuration, and compares what it can read with what is there, before the
# server that serves is stopped: two on the same files would destroy them.
# IMAGE; RUN_AS: uid:gid; VOLUME: with the data; SERVICE: redis or redis-cache; LABELS: arguments for docker run
# On standard input: the configuration
set -eu
. commands/functions/throwaway.sh
fail() { printf '%s\n' "redis-check: $*" >&2; exit 1; }
own="uid=${RUN_AS%:*},gid=${RUN_AS#*:},mode=700"
code=0
# shellcheck disable=SC2016 # for the shell in the container
said=$(throwaway "$RUN_AS" none 256 --interactive --read-only \
  --tmpfs "/data:rw,noexec,nosuid,$own,size=64m" --tmpfs "/tmp:rw,noexec,nosuid,$own,size=16m" \
  --mount "type=volume,source=$VOLUME,target=/old,readonly,volume-nocopy" --entrypoint /bin/sh "$IMAGE" -euc '
  umask 077
  cat > /tmp/redis.conf
  echo "user default on nopass ~* &* +@all" > /dev/shm/users.acl
  if command -v redis-server > /dev/null; then server=redis-server client=redis-cli
  elif command -v valkey-server > /dev/null; then server=valkey-server client=valkey-cli
  else echo "it has neither redis-server nor valkey-server"; exit 3; fi
  "$server" /tmp/redis.conf --port 0 --unixsocket /tmp/socket > /tmp/log 2>&1 &
  tries=0
  until "$client" -s /tmp/socket ping 2> /dev/null | grep -qx PONG; do
    tries=$((tries + 1))
    kill -0 $! 2> /dev/null && [ "$tries" -lt 200 ] || { cat /tmp/log; exit 3; }
    sleep 0.1
  done
  "$client" -s /tmp/socket save > /dev/null
  # What it writes is the newest that it reads: REDIS0012, VALKEY080.
  for file in /data/*.rdb; do reads=$(head -c 9 "$file"); done
  for file in /old/*.rdb /old/appendonly.aof /old/appendonlydir/*.rdb; do
    [ -s "$file" ] || continue
    has=$(head -c 9 "$file")
    case $has in
      REDIS[0-9]*) most=$reads ;;
      VALKEY[0-9]*) most=$reads; case $reads in REDIS*) most=VALKEY000 ;; esac ;;
      *) continue ;;
    esac
    # The latest of Redis that Valkey takes, in whatever way it writes itself.
    case $has:$most in REDIS*:VALKEY*) most=REDIS0011 ;; esac
    [ "1${has##*[A-Z]}" -le "1${most##*[A-Z]}" ] || { echo "${file#/old/} is $has, and it reads $reads"; exit 4; }
  done') || code=$?
case $code in
  0) ;;
  3) fail "$SERVICE: $IMAGE does not start with this configuration (drydock:redis.options and redis.image); nothing" \
    "was changed:
$(printf '%s\n' "$said" | grep -v '^ *$' | tail -n 6)" ;;
  4) fail "$SERVICE: the data is of a later version than $IMAGE ($said); nothing was changed. Keep" \
    "drydock:redis.image at the version that has written it, or a later one" ;;
  *) fail "$SERVICE: $IMAGE could not be tried (see above); nothing was changed" ;;
esac
