#!/bin/sh
# Runs `octane:start`, which at a signal tells its server to end and is gone: with it the pipe that the server logs to,
# so the server dies of its next line, whatever it still answers. Here the server itself has the signal, and
# `octane:start` ends after it, as it does when a server ends by itself.
"$@" &
octane=$!
# What it has started; itself, while that is nothing.
servers() {
  found=
  for file in /proc/[0-9]*/status; do
    { while read -r key value _; do
      case $key in Pid:) pid=$value ;; PPid:) parent=$value; break ;; esac
    done <"$file"; } 2>/dev/null || continue
    [ "$parent" != "$octane" ] || found="$found $pid"
  done
  echo "${found:-$octane}"
}
trap 'signalled=1; kill -TERM $(servers) 2>/dev/null' TERM INT QUIT
# A signal interrupts it: then it is asked again, which it answers although the command may have ended meanwhile.
while
  signalled=
  code=0
  wait "$octane" || code=$?
  [ -n "$signalled" ]
do :; done
exit "$code"
