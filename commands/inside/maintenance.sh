# shellcheck shell=sh
# Runs inside the proxy, as its user. Switches maintenance mode on or off in one rename, or says what is there.
# Arguments: on GENERATION TIMEOUT (standard input: tar of the generation's files) | off TIMEOUT | show
set -eu
# The group is for the backup agent, which keeps the state of it with every backup.
umask 027
conf=/var/lib/drydock/nginx.conf
mkdir -p /var/lib/drydock/maintenance
cd /var/lib/drydock/maintenance
chmod 0750 .
fail() { echo "$*" >&2; exit 1; }
current() { readlink current 2>/dev/null || true; }
# accepted, whole, without_the_missing: the proxy writes them at its start.
[ -r /tmp/host/site.sh ] || fail "the proxy was started by an earlier version"
. /tmp/host/site.sh
# nginx takes no configuration while one replica's name can't be resolved, as when it has stopped: exactly then the site
# may have to be
# closed. The others serve alone until it is there again.
acceptable() {
  if why=$(accepted 2>&1); then return 0; fi
  case $why in *"host not found in upstream"*) ;; *) echo "$why" >&2; return 1 ;; esac
  without_the_missing 2>/dev/null
  if why=$(accepted 2>&1); then return 0; fi
  whole
  echo "$why" >&2
  return 1
}
reload() { nginx -c "$conf" -s reload; }
ask() { curl -fsSo /dev/null -m 3 "$1" 2>/dev/null || wget -qO /dev/null "$1" 2>/dev/null; }
# A rename, so that there is always either the old one or the new one.
point() {
  rm -rf next
  ln -s "$1" next
  mv -fT next current 2>/dev/null || { rm -rf current; mv next current; }
}
back() { if [ -n "$1" ]; then point "$1"; else rm -rf current; fi; }
settled() { # COMMAND...: within 5 s
  tries=0
  until "$@"; do
    tries=$((tries + 1))
    [ "$tries" -lt 50 ] || return 1
    sleep 0.1
  done
}
absent() { ! ask "$1"; }
# Workers of the earlier configuration finish what they have begun, and may answer one more request of a connection that
# is kept open.
drained() {
  waited=0
  while grep -lqs "is shutting dow[n]" /proc/[0-9]*/cmdline; do
    [ "$waited" -lt $(($1 * 5)) ] || return 1
    waited=$((waited + 1))
    sleep 0.2
  done
}
finish() { # TIMEOUT
  if drained "$1"; then echo drained=yes; else echo drained=no; fi
  for one in g-*; do
    if [ -d "$one" ] && [ "$one" != "$(current)" ]; then rm -rf "$one"; fi
  done
}

case $1 in
  on)
    grep -qs maintenance/current ../site.conf || fail "no release that knows maintenance mode has been deployed to this proxy"
    before=$(current)
    rm -rf "$2"
    mkdir "$2"
    tar -xf - -C "$2" || { rm -rf "$2"; fail "the files did not arrive whole"; }
    point "$2"
    acceptable || { back "$before"; rm -rf "$2"; fail "nginx refused them"; }
    reload
    settled ask "http://127.0.0.1:8090/maintenance/$2" || { back "$before"; acceptable && reload; fail "nginx did not take them over within 5 s"; }
    finish "$3"
    ;;
  off)
    before=$(current)
    rm -rf current
    acceptable || fail "maintenance mode is off, but nginx refuses its configuration for another reason (above)"
    reload
    [ -z "$before" ] || settled absent "http://127.0.0.1:8090/maintenance/$before" || fail "nginx still answers as before after 5 s"
    finish "$2"
    ;;
  show)
    now=$(current)
    echo "generation=$now"
    if [ -n "$now" ] && ask "http://127.0.0.1:8090/maintenance/$now"; then echo serving=yes; else echo serving=no; fi
    # A replica that has stopped is no fault of maintenance mode.
    why=$(accepted 2>&1) || true
    case $why in *"[emerg]"*"host not found in upstream"* | "") echo nginx=accepts ;; *) echo "nginx=$(echo "$why" | head -n 1)" ;; esac
    if probe=$(mktemp ./probe.XXXXXX 2>/dev/null); then rm -f "$probe"; echo writable=yes; else echo writable=no; fi
    for one in damaged-*; do if [ -L "$one" ] || [ -e "$one" ]; then echo "aside=$one"; fi; done
    if [ -n "$now" ] && [ -d "$now" ]; then echo files; tar -cf - -C "$now" . | base64; fi
    ;;
esac
