# Functions for the volume with the stack's records (releases, migrations, audit log); read by other scripts, not run by
# itself.
# The volume is mounted in one-off containers only. They need RECORDS (volume), RECORDS_IMAGE, RECORDS_USER (uid:gid),
# RECORDS_LABELS (words)
# shellcheck shell=sh

. commands/functions/throwaway.sh

# in_records ACCESS SCRIPT ARGUMENTS...: runs SCRIPT in the folder of the records, with this one's standard input.
# ACCESS: readonly or rw
in_records() {
  access=
  [ "$1" != readonly ] || access=,readonly
  script=$2
  shift 2
  (
    LABELS=$RECORDS_LABELS
    throwaway "$RECORDS_USER" none 64 --interactive --read-only \
      --mount "type=volume,source=$RECORDS,target=/records,volume-nocopy$access" --workdir /records \
      --entrypoint /bin/sh "$RECORDS_IMAGE" -euc "$script" records "$@"
  )
}

# The newest complete line about a release; nothing before the first.
last_release() {
  in_records readonly '[ ! -f releases.jsonl ] || grep "\"key\":" releases.jsonl | tail -n 1' </dev/null
}

# append FILE: adds the lines on standard input, and drops the oldest where there are too many. This user's group reads
# them, too: the backup agent is in it, and keeps with each backup what was released.
append() {
  in_records rw 'umask 027
    if [ -f "$1" ] && [ "$(wc -c < "$1")" -gt 4194304 ]; then tail -n 5000 "$1" > "$1.new"; mv "$1.new" "$1"; fi
    cat >> "$1"
    chmod 640 "$1"' "$1"
}

# show FILES...: their content, each after a line with its name.
show() {
  in_records readonly 'for file; do printf "\n=== %s\n" "$file"; [ ! -f "$file" ] || cat "$file"; done' \
    "$@" </dev/null
}
