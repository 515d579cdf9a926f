#!/bin/sh
# Resets OPcache in every replica through PHP-FPM (the CLI has another OPcache: known issue 6) and waits until each has restarted it.
# REPLICAS: containers, words; FCGI: HOST:PORT of PHP-FPM inside them
set -eu
ask() { docker exec "$1" php -n /drydock/fcgi.php "$FCGI" "$2" /drydock/opcache.php; }
number() { sed -n 's/.*"restarts":\([0-9]*\).*/\1/p'; }
fresh() {
  replica=$1
  before=$(ask "$replica" /reset) || { echo "opcache: PHP-FPM of $replica did not answer; run the same command again" >&2; exit 1; }
  case $before in *'"enabled":false'*) echo "$replica has no OPcache: nothing to reset"; return ;; esac
  tries=0
  until [ "$(ask "$replica" /status | number)" -gt "$(echo "$before" | number)" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 120 ] || { echo "opcache: $replica has not restarted its OPcache within 60 s: a request runs that long" >&2; exit 1; }
    sleep 0.5
  done
  echo "$replica: OPcache is fresh"
}

# All of them at once: each call into a container takes its time.
running=
for one in $REPLICAS; do
  fresh "$one" &
  running="$running $!"
done
failed=0
for pid in $running; do wait "$pid" || failed=1; done
exit $failed
