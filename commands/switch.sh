#!/bin/sh
# Sends traffic to the new replicas: writes the proxy's configuration, tests it, reloads it, proves it with requests, or
# puts the old one back.
# PROXY: container; REPLICA: container that asks; REPLICAS: all that are to serve, words; HOST: the site's host name;
# HEALTH_PATH; SITE_PATH: under which nginx says that it serves just this configuration
# PROCESSES: see limits.sh
# On standard input: the configuration. In a variable it could have 128 KiB, and some sites have thousands of redirects.
set -eu
fail() { echo "switch: $*" >&2; exit 1; }
in_proxy() { docker exec -i "$PROXY" /bin/sh -c "cd /var/lib/drydock; $1"; }
# The functions are the proxy's own: it writes them at its start.
reload='. /tmp/host/site.sh; whole; accepted && nginx -c /var/lib/drydock/nginx.conf -s reload'
back='if [ -f site.conf.old ]; then mv -f site.conf.old site.conf; else rm -f site.conf /tmp/site/site.conf; fi'
write="cat > site.conf.new &&
  { if [ -f site.conf ]; then cp -p site.conf site.conf.old; else rm -f site.conf.old; fi; } &&
    mv -f site.conf.new site.conf"

# Read first: what runs below has the same standard input.
site=$(cat; printf x)

. commands/functions/healthy.sh
# Both at once: each call is a way to the host and back.
CONTAINERS=$REPLICAS sh commands/limits.sh &
# shellcheck disable=SC2086 # REPLICAS is a list of words
healthy $REPLICAS || fail "not all new replicas are healthy; the old release serves."
wait "$!"

code=0
printf '%s' "${site%x}" | in_proxy "{ $write; } || exit 9; $reload" || code=$?
[ "$code" != 9 ] || fail "the configuration could not be written to the proxy $PROXY; the old one is in force."
# A file of maintenance mode that somebody damaged by hand stops no release: it is set aside.
damaged=maintenance/damaged-$(date -u +%Y%m%dT%H%M%SZ)
aside="[ -e maintenance/current ] && mv maintenance/current $damaged"
undo="mv $damaged maintenance/current"
if [ "$code" != 0 ]; then
  if in_proxy "$aside" </dev/null; then
    if in_proxy "$reload" </dev/null; then
      echo "switch: WARNING: the files of maintenance mode were damaged and are set aside (see above): the site is" \
          "open. Close it again: ./drydock maintenance on" >&2
    else
      in_proxy "$undo; $back" </dev/null || true
      fail "nginx refused the new configuration; the old one is in force."
    fi
  else
    in_proxy "$back" </dev/null || true
    fail "nginx refused the new configuration; the old one is in force."
  fi
fi

# The first of them waits until nginx serves this site.
if ! docker exec -i "$REPLICA" php -n -- "http://$PROXY:8091$HEALTH_PATH" "$HOST" 5 \
  "http://$PROXY:8090$SITE_PATH" < runtime/probe.php; then
  in_proxy "$back; $reload" </dev/null || true
  fail "requests through the proxy failed after the switch; the old configuration is in force again and the old" \
      "release serves."
fi
