#!/bin/sh
# Proves that OPcache of every replica has the code that is there (incident 6), asking PHP-FPM, because the CLI has
# another OPcache. Where it has older code it is reset, and waited for. One that has none is left as it is: emptied, it
# would have the first visitors wait until everything is compiled again.
# REPLICA: container that asks; FPM: HOST:PORT of every replica's PHP-FPM, with commas
set -eu
# One of them asks all: each call into a container takes a tenth of a second of processor time. A line for each, its
# address first.
ask() {
  said=$(docker exec "$REPLICA" php -n /drydock/fcgi.php "$FPM" "$1" /drydock/opcache.php) || return 1
  printf '%s\n' "$said" | sed "s/^{/$FPM {/"
}
# How often each has restarted it: ADDRESS NUMBER; and the same of those alone that were reset
numbers() { sed -n 's/^\([^ ]*\) {"enabled":true,"restarts":\([0-9]*\).*/\1 \2/p'; }
reset() { grep '"staleCount":[1-9]' | numbers; }
. commands/functions/healthy.sh
# One that was restarted since the switch is waited for; one that does not come back is named, with what to do.
again() {
  # shellcheck disable=SC2046 # a list of words
  healthy $(replicas_of "$FPM") || return 1
  ask /reset
}
before=$(ask /reset) || before=$(again) \
  || { echo "opcache: PHP-FPM of a replica did not answer; run the same command again" >&2; exit 1; }
printf '%s\n' "$before" | sed -n 's/^\([^ ]*\) .*"enabled":false.*/\1 has no OPcache: nothing to reset/p'

tries=0
left=$(printf '%s\n' "$before" | reset)
while [ -n "$left" ]; do
  now=$(ask /status | numbers)
  left=$(printf '%s\n' "$left" | while read -r address number; do
    restarted=$(printf '%s\n' "$now" | sed -n "s/^$address //p")
    [ "${restarted:-0}" -gt "$number" ] || echo "$address $number"
  done)
  tries=$((tries + 1))
  [ "$tries" -lt 120 ] || { echo "opcache: not restarted within 60 s, because a request runs that long:" \
      "$(echo "$left" | cut -d ' ' -f 1)" >&2; exit 1; }
  [ -z "$left" ] || sleep 0.5
done
printf '%s\n' "$before" | numbers | sed 's/:[0-9]* [0-9]*$/: OPcache is fresh/'
