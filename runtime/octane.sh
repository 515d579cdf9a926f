#!/bin/sh
# Runs `octane:start`, which at a signal tells its server to end and is gone: with it the pipe that the server logs to,
# so the server dies of its next line, whatever it still answers. Here the server itself has the signal, and
# `octane:start` ends after it, as it does when a server ends by itself.
"$@" &
octane=$!
# children PID: the processes that one has started, and that live.
children() {
  for file in /proc/[0-9]*/status; do
    { while read -r key value _; do
      case $key in State:) state=$value ;; Pid:) pid=$value ;; PPid:) parent=$value; break ;; esac
    done <"$file"; } 2>/dev/null || continue
    [ "$parent" != "$1" ] || [ "$state" = Z ] || echo "$pid"
  done
}
# end SERVER: has it answer what it has started on, and end.
end() {
  kill -TERM "$1" 2>/dev/null
  # Swoole's first process takes no more from then on, and waits for its timers, of which Octane has one that never
  # ends. Its manager has each worker finish, and ends after them: then nobody answers any more.
  grep -Eq 'swoole[-_](http_)?server' "/proc/$1/cmdline" 2>/dev/null || return 0
  managers=$(children "$1")
  # shellcheck disable=SC2086 # a list of numbers
  kill -TERM $managers 2>/dev/null
  while [ -n "$(children "$1")" ]; do sleep 0.2; done
  # For what it has still to send.
  sleep 0.5
  kill -KILL "$1" 2>/dev/null
}
# While it has started no server, `octane:start` itself has the signal.
signal() {
  servers=$(children "$octane")
  [ -n "$servers" ] || kill -TERM "$octane" 2>/dev/null
  for server in $servers; do end "$server" & done
}
trap 'signalled=1; signal' TERM INT QUIT
# A signal interrupts it: then it is asked again, which it answers although the command may have ended meanwhile.
while
  signalled=
  code=0
  wait "$octane" || code=$?
  [ -n "$signalled" ]
do :; done
exit "$code"
