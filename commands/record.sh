#!/bin/sh
# Writes the release into the stack's records, once everything of it has succeeded, and keeps its image for a way back.
# RECORDS, RECORDS_IMAGE, RECORDS_USER, RECORDS_LABELS: see functions/records.sh
# REPLICA: container that is asked; APP_PATH; IMAGE: reference; KEY: the same for the same release; RECORD: JSON, what
# is known beforehand
# STORAGE: the stack's own volume that all containers of the application have; RELEASE; DAYS: how long the logs of those
# before it stay, 0: not at all
# PROBES: what verify printed; DRYDOCK_BEGAN: seconds since 1970, where the command line released it; KEPT: tag's name
# for what is kept
set -eu
fail() { echo "record: $*; the release itself is complete and serves. Run the same command again." >&2; exit 1; }
. commands/functions/answer.sh
. commands/functions/records.sh
text() { printf '%s' "$1" | tr -d '\000-\037"\\'; }

# found_out: prints the record in one line, without its braces; nothing where something of it is missing.
found_out() {
  inspected=$(docker image inspect -f '{{.Id}} {{if .RepoDigests}}{{index .RepoDigests 0}}{{end}}' "$IMAGE") ||
    fail "the image $IMAGE can't be inspected"
  id=${inspected%% *} digest=${inspected#* }
  # A tag of the stack's own: what another stack removes as too old, this one may still go back to.
  docker tag "$id" "drydock/kept:$KEPT-$(printf '%s' "${id#sha256:}" | cut -c 1-12)" &
  tagged=$!
  commit=null
  if head=$(git rev-parse --short=12 HEAD 2>/dev/null); then
    [ -z "$(git status --porcelain --untracked-files=no 2>/dev/null)" ] || head="$head+"
    commit="\"$head\""
  fi
  seconds=null
  [ -z "${DRYDOCK_BEGAN:-}" ] || seconds=$(($(date +%s) - DRYDOCK_BEGAN))
  probes=$(printf '%s\n' "$PROBES" | grep -o '^{"requests":[^}]*}' | tail -n 1 | grep . || echo null)
  silent="$REPLICA does not say which migrations have run"
  said=$(printf '%s,"id":"%s","digest":%s,"by":"%s","commit":%s,"at":"%s","seconds":%s,"probes":%s}' \
    "${RECORD%\}}" "$id" \
    "$([ -z "$digest" ] && echo null || echo "\"$(text "$digest")\"")" "$(text "$(id -un)@$(uname -n)")" \
    "$commit" "$(date -u +%FT%TZ)" "$seconds" "$probes" \
    | docker exec -i "$REPLICA" php /drydock/record.php "$APP_PATH") || fail "$silent: $said"
  line=$(printf '%s\n' "$said" | answered) || fail "$silent: $said"
  wait "$tagged" || fail "the image $IMAGE could not be tagged"
  line=${line#\{}
  printf '%s\n' "${line%\}}"
}

# logs_before: the last lines of the containers that go with this release: they are gone with them. All at once: each
# call is a way to the host and back.
logs_before() {
  [ "$DAYS" -gt 0 ] || return 0
  docker ps --all --filter "volume=$STORAGE" --filter label=drydock.release \
    --format '{{.Names}} {{.Label "drydock.role"}} {{.Label "drydock.release"}}' > "$folder/containers"
  while read -r name role release; do
    case $role in app | worker | horizon | scheduler) ;; *) continue ;; esac
    [ "$release" != "$RELEASE" ] || continue
    { docker logs --timestamps --tail 5000 "$name" 2>&1 </dev/null \
      | LC_ALL=C sed "s/^/$role $name $release | /" > "$folder/$name.log"; } &
  done < "$folder/containers"
  wait
  while read -r name role release; do
    [ ! -f "$folder/$name.log" ] || cat "$folder/$name.log"
  done < "$folder/containers"
}

# The container that writes takes a moment to start: it does so while the record is found out.
# The same release again, such as after a container was brought back, is no new one. The newest 500 stay.
# What is printed leaves out the names of the migrations, which stand last.
code=0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
both() {
  logs_before > "$folder/logs" &
  line=$(found_out) || { wait; return 1; }
  printf '%s\n' "$line"
  wait
  cat "$folder/logs"
}
printed=$(both | in_records rw '
  read -r line || exit 9
  # The backup agent, who is in this group, keeps the last ones with each backup.
  umask 027
  touch releases.jsonl
  chmod 640 releases.jsonl
  last=$(grep "\"key\":" releases.jsonl | tail -n 1)
  case $last in *"\"key\":\"$1\""*) printf "%s\n" "$last"; exit 0 ;; esac
  number=$(printf "%s" "$last" | sed -n "s/^{\"sequence\":\([0-9]*\),.*/\1/p")
  { tail -n 499 releases.jsonl; printf "{\"sequence\":%s,%s}\n" $((${number:-0} + 1)) "$line"; } > releases.new
  mv releases.new releases.jsonl
  umask 077
  mkdir -p logs
  find logs -type f -mtime "+$2" -exec rm -f {} +
  # A full disk is no reason to have no record.
  cat > logs/new 2>/dev/null && [ -s logs/new ] && mv logs/new "logs/$(date -u +%Y%m%dT%H%M%SZ).log" || rm -f logs/new
  tail -n 1 releases.jsonl' "$KEY" "$DAYS") || code=$?
case $code in
  0) printf '%s\n' "$printed" | sed 's/,"migrations":.*$/}/' ;;
  9) exit 1 ;; # found_out has said why
  *) fail "the records could not be written (volume $RECORDS): is the disk full?" ;;
esac
