#!/bin/sh
# Has the edge of the Docker host send a stack's names to its proxy; where the edge refuses that, all is as it was.
# ID: names the stack on its machine; STACK: its name; NAMES: words, * as _; GENERATION: of the edge's state
# On standard input: lines "PATH BASE64", from the folder of that state. In a variable they could have 128 KiB.
set -eu
fail() { echo "edge: $*" >&2; exit 1; }
. commands/functions/edge.sh
EDGE=$(edge)
[ -n "$EDGE" ] || fail "no edge runs on the Docker host any more; the stack serves, but nobody outside" \
  "reaches it. Make one: ./drydock edge up; then ./drydock up again"

{ printf '%s\n' "$ID $STACK $NAMES"; cat; } | in_edge '
  read -r id stack names
  for name in $names; do
    [ ! -f "claims/$name" ] || read -r owner other < "claims/$name"
    if [ -f "claims/$name" ] && [ "$owner" != "$id" ]; then
      echo "edge: $name belongs to stack $other on this machine; nothing was changed. See: ./drydock edge status" >&2
      exit 1
    fi
  done
  fresh=/tmp/edge/fresh before=/tmp/edge/before
  rm -rf "$fresh" "$before"
  mkdir -p "$fresh/routes" "$fresh/wanted" "$fresh/own" "$before/routes" "$before/wanted" "$before/own"
  umask 077
  while read -r path content; do
    [ -n "$path" ] || continue
    printf %s "$content" | base64 -d > "$fresh/$path"
  done
  same=1
  for path in $(cd "$fresh" && find . -type f); do
    cmp -s "$fresh/$path" "$path" || same=0
  done
  # What of the stack is not wanted any more.
  mine() {
    ls "own/$id-"*.users 2>/dev/null || :
    grep -lx "$id $stack" claims/* 2>/dev/null | sed "s,^claims/\(.*\)$,own/\1.pem," || :
  }
  for path in $(mine); do [ ! -f "$path" ] || [ -f "$fresh/$path" ] || { same=0; rm -f "$path"; }; done
  for path in $(cd "$fresh" && find . -type f); do
    [ ! -f "$path" ] || cp -p "$path" "$before/$path"
    cp "$fresh/$path" "$path.new" && mv -f "$path.new" "$path"
  done
  back() {
    rm -f "routes/$id.conf"
    [ ! -f "$before/routes/$id.conf" ] || cp "$before/routes/$id.conf" "routes/$id.conf"
  }
  rm -f "routes/$id.conf.refused"
  for claim in $(grep -lx "$id $stack" claims/* 2>/dev/null || :); do
    case " $names " in *" ${claim#claims/} "*) ;; *) rm -f "$claim" ;; esac
  done
  for name in $names; do echo "$id $stack" > "claims/$name"; done
  # A name whose certificate is not there yet has a placeholder first, so that a handshake never fails.
  tries=0
  for name in $names; do
    while [ ! -s "/certs/live/$name.pem" ] && [ "$tries" -lt 150 ]; do tries=$((tries + 1)); sleep 0.2; done
  done
  if [ "$same" = 1 ]; then
    echo "edge: the route is as it was"
    exit 0
  fi
  # Those that serve; others finish what they have.
  serving() {
    grep -ls "nginx: worker proces[s]" /proc/[0-9]*/cmdline 2>/dev/null |
      while read -r file; do grep -qs "is shutting dow[n]" "$file" || echo "$file"; done
  }
  earlier=$(serving)
  if nginx -q -t -c /tmp/edge/nginx.conf && nginx -c /tmp/edge/nginx.conf -s reload; then
    # Who waits for them to end must find them ending.
    tries=0
    for worker in $earlier; do
      while grep -qs "nginx: worker proces[s]" "$worker" && ! grep -qs "is shutting dow[n]" "$worker" &&
        [ "$tries" -lt 100 ]; do
        tries=$((tries + 1))
        sleep 0.1
      done
    done
    echo "edge: $names: sent to this stack"
  else
    back
    echo "edge: the edge refused the route; what it served it serves still." >&2
    exit 1
  fi' || exit 1
