#!/bin/sh
# The scheduler: starts what is due at each minute, as `artisan schedule:work` does, and ends without hurting a task.
# schedule:work ends at once where it is told to stop (Laravel 12 and earlier), and always leaves tasks behind that run
# in the background: with
# the container they would be killed, and those without overlapping would stay locked for a day.
# Usage: sh schedule.sh SECONDS    SECONDS: how long what runs may finish, once this was told to stop
set -u

# clear_locks: only where no task runs: one scheduler is all there is, so a lock that is there then was left by what was
# killed.
clear_locks() { php artisan schedule:clear-cache 2>/dev/null | grep '^Deleting' || true; }

# parent_of PID: sets $parent; 0 where it is gone.
parent_of() {
  parent=0
  { while read -r key value _; do
    case $key in
      State:) [ "$value" != Z ] || return 0 ;;
      PPid:) parent=$value; return 0 ;;
    esac
  done < "/proc/$1/status"; } 2>/dev/null || true
}

# tasks: sets $tasks to the processes that this container's schedule has started and that still run. What comes from
# outside, such as a health
# check, has no ancestor here.
tasks() {
  tasks=''
  for folder in /proc/[0-9]*; do
    pid=${folder#/proc/}
    [ "$pid" != 1 ] && [ "$pid" != $$ ] || continue
    at=$pid
    while [ "$at" -gt 1 ]; do
      parent_of "$at"
      at=$parent
    done
    [ "$at" = 0 ] || tasks="$tasks $pid"
  done
}

# end_tasks: those at the end of each chain; the shell around a background task then says that it is over, which
# releases its lock.
end_tasks() {
  for pid in $tasks; do
    leaf=yes
    for other in $tasks; do
      parent_of "$other"
      [ "$parent" != "$pid" ] || leaf=no
    done
    [ "$leaf" = no ] || kill -s "$1" "$pid" 2>/dev/null || true
  done
}

minute() { echo $(($(date +%s) / 60)); }
# run: notes when the schedule has run, for the collector of monitoring (metrics.php).
run() { { php artisan schedule:run && touch "${DRYDOCK_PATH:-.}/storage/logs/.drydock-scheduled" 2>/dev/null; } & }

told=no
nap=
trap 'told=yes; [ -z "$nap" ] || kill "$nap" 2>/dev/null' TERM INT
clear_locks
last=$(minute)

while [ "$told" = no ]; do
  sleep $((60 - $(date +%s) % 60)) &
  nap=$!
  [ "$told" = no ] || kill "$nap" 2>/dev/null
  wait "$nap" 2>/dev/null || true
  nap=
  now=$(minute)
  if [ "$now" != "$last" ]; then
    last=$now
    run
  fi
done

# The successor starts when this is gone, and a minute in which neither runs is never made up for: so this ends early in
# a minute, when nothing
# runs, and starts what is due until then.
began=$(date +%s)
late=$((began + $1 - 10))
while :; do
  now=$(date +%s)
  if [ $((now / 60)) != "$last" ]; then
    last=$((now / 60))
    run
  fi
  tasks
  if [ -z "$tasks" ]; then
    if [ $((now % 60)) -le 50 ] || [ "$now" -ge "$late" ]; then exit 0; fi
  elif [ "$now" -ge "$late" ]; then
    echo "scheduler: a task still runs $((now - began)) s after the end was asked for, and is ended now" \
        "(drydock:scheduler.stopTimeout)" >&2
    end_tasks TERM
    for _ in 1 2 3 4; do
      sleep 1
      tasks
      [ -n "$tasks" ] || break
    done
    end_tasks KILL
    sleep 1
    clear_locks
    exit 0
  fi
  sleep 1
done
