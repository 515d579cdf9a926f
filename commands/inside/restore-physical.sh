# shellcheck shell=sh
# Runs as the database's user, with the database's volume in /var/lib/mysql (or DATA). What is under way is in
# .drydock/state, written and synced before it
# begins, so that whoever comes next knows. Every step can be run again: one that was cut off goes on from where it
# was. Nothing that a server may have
# written to is removed: it is renamed.
# $1 swap FOLDER NAME: the live files into leaving/, those of FOLDER into their place; the server is stopped. NAME is
# for what was live, before-TIME
#    proven: the server runs on them, and has them all
#    keep: what was live gets its name; from now on `replaced` has the file of the binary log after which the data are
# others, and when that was started
#    back: takes the swap back, with the server stopped; prints the name under which the restored files are kept, if
# a server may have run on them
#    discard NAME: nobody has written to those
#    clear: what was to be put in place is not wanted any more
#    left: prints what is under way: leaving, arriving, swapped, proven, returning or reinstating, and the name
#    kept: prints what is kept
#    forget: removes it for good
set -eu
umask 077
cd "${DATA:-/var/lib/mysql}"
mkdir -p .drydock
cd .drydock
fail() { echo "$*" >&2; exit 1; }
note() { printf '%s\n' "$*" > state.new; sync state.new; mv -f state.new state; sync .; }
# into FROM TO: all but what a server is kept from starting with. Nothing is overwritten.
into() { find "$1" -mindepth 1 -maxdepth 1 ! -name .drydock ! -name lost+found ! -name ibdata1 ! -name mysql -exec mv \
  -n -t "$2" {} +; }
# The binary log goes on in its own numbers: whoever follows it sees no second beginning.
logs() { find "$1" -mindepth 1 -maxdepth 1 -name 'binlog.*' -exec mv -n -t "$2" {} +; }
schema() { [ ! -e "$1/mysql" ] || mv -n -t "$2" "$1/mysql"; }
empty() { rmdir "$1" 2>/dev/null || fail "in $1 is still: $(ls -A "$1" | head -n 5 | tr '\n' ' ')"; }
# No server starts on half a folder, whatever image it is of: with mysql/ missing some would make a new database, but
# not over an ibdata1 that is none.
# hold FOLDER: its real one goes there, and is the last to come back.
hold() {
  [ -e ../ibdata1 ] || return 0
  printf 'A restore of Drydock is under way: ./drydock status\n' > hold
  ! cmp -s hold ../ibdata1 || return 0
  [ -e "$1/ibdata1" ] || ln ../ibdata1 "$1/ibdata1"
  cp hold hold.new
  sync hold.new "$1"
  mv -f hold.new ../ibdata1
  sync ..
}
# release FOLDER
release() {
  [ -e "$1/ibdata1" ] || return 0
  # shellcheck disable=SC3013 # dash and busybox have it
  [ ! "$1/ibdata1" -ef ../ibdata1 ] || { rm "$1/ibdata1"; return 0; }
  mv -f "$1/ibdata1" ../ibdata1
}
# The last file of the log, and when it was started (seconds since 1970, in its first event): numbers may begin anew.
# MariaDB has an index beside each, binlog.000001.idx.
last_log() {
  last=$(find .. -mindepth 1 -maxdepth 1 -name 'binlog.[0-9]*' ! -name '*.idx' | sort | tail -n 1)
  [ -z "$last" ] || echo "${last##*/} $(od -A n -t u4 -j 4 -N 4 "$last" | tr -d ' ')"
}
phase='' name=''
[ ! -e state ] || read -r phase name < state

case $1 in
  swap)
    [ -z "$phase" ] && [ ! -e leaving ] || fail "an earlier restore has not come to its end: ./drydock backup restore" \
        "--resume"
    [ -d "$2/mysql" ] && [ -e "$2/ibdata1" ] || fail "$2 is no server's folder"
    find "$2" -mindepth 1 -maxdepth 1 \( -name 'binlog.*' -o -name .drydock \) -exec rm -rf {} +
    { [ ! -e replaced ] || cat replaced; last_log; } > replaced.new
    sync replaced.new
    note leaving "$3"
    mkdir leaving
    hold leaving
    into .. leaving
    schema .. leaving
    sync leaving ..
    note arriving "$3"
    into "$2" ..
    schema "$2" ..
    logs leaving ..
    release "$2"
    empty "$2"
    sync leaving ..
    note swapped "$3"
    ;;
  proven) [ "$phase" = swapped ] || fail "nothing was swapped"; note proven "$name" ;;
  keep)
    [ "$phase" = proven ] || fail "nothing was proven"
    [ ! -e leaving ] || { [ ! -e "$name" ] || fail "$name is there already"; mv leaving "$name"; }
    [ ! -e replaced.new ] || mv -f replaced.new replaced
    sync .
    rm -f state hold
    rm -rf restores/*
    ;;
  back)
    case $phase in
      '') exit 0 ;;
      proven) fail "it was proven: it is not taken back" ;;
      leaving) mkdir -p leaving; note reinstating "$name" ;;
      # Only on a whole folder may a server have run.
      arriving) note returning "$name" scrap ;;
      swapped) note returning "$name" "$name-restored" ;;
    esac
    read -r phase name more < state
    if [ "$phase" = returning ]; then
      mkdir -p "$more"
      hold "$more"
      into .. "$more"
      schema .. "$more"
      logs "$more" ..
      sync "$more" ..
      note reinstating "$name" "$more"
    fi
    if [ -e leaving ]; then
      into leaving ..
      schema leaving ..
      release leaving
      empty leaving
    fi
    rm -f replaced.new
    sync . ..
    rm -f state hold
    rm -rf scrap restores/*
    [ -z "$more" ] || [ "$more" = scrap ] || echo "$more"
    ;;
  discard) case $2 in before-*-restored) rm -rf "./$2" ;; esac ;;
  clear) [ -n "$phase" ] || rm -rf restores/* ;;
  left) [ -z "$phase" ] || echo "$phase $name" ;;
  kept) find . -mindepth 1 -maxdepth 1 -name 'before-*' | sed 's|^\./||' | sort ;;
  forget) rm -rf before-* ;;
esac
