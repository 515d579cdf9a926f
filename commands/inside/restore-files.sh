# shellcheck shell=sh
# Runs as the user whose files they are, the application's or a service's, with their volume in /files (or FILES). What
# is under way is in
# .drydock-state, written before it begins.
# Names in there are chosen by visitors: each is handed from find to mv, and none is read here.
# $1 unpack: standard input is a tar; beside the live files; it is either whole or taken away. Prints how many files
# there are
#    swap NAME: what is live into NAME, .drydock-before-TIME, and what was unpacked into its place
#    adopt [FOLDER]: what was unpacked came from elsewhere: its owner can read and change all of it, and nginx can read
# what is public: FOLDER of it, or . for all of it; public where none is named
#    count: prints how many files are live, but for those that only keep a folder in git
#    undo NAME: what is live goes, and what was kept in NAME is live again; nobody but a service may have written since
#    settle: a swap that was cut off goes on; prints NAME. An undoing that was cut off does, too; prints undone NAME
#    left: prints what is under way
#    clear: what was unpacked is not wanted any more
#    kept: prints what is kept
#    forget: removes it for good
set -eu
umask 077
cd "${FILES:-/files}"
next=.drydock-restore
fail() { echo "$*" >&2; exit 1; }
note() {
  printf '%s\n' "$*" > .drydock-state.new
  sync .drydock-state.new
  mv -fT .drydock-state.new .drydock-state
  sync .
}
# move FROM TO: all but what belongs to restores, and the folder that keeps a volume from being empty. Where somebody
# has made a file of that name meanwhile, it stays
# beside, under another.
move() {
  # The application can deny itself its own folders, and one without the right to write is moved by nobody.
  find "$1" -mindepth 1 -maxdepth 1 -type d ! -perm -u+w ! -name '.drydock-*' ! '(' -name .drydock -empty ')' -exec \
    sh -euc 'to=$1; shift
      for folder; do
        mode=$(stat -c %a "$folder")
        chmod u+w "$folder"
        mv --backup=numbered -t "$to" "$folder"
        chmod "$mode" "$to/${folder##*/}"
      done' move "$2" {} +
  find "$1" -mindepth 1 -maxdepth 1 ! -name '.drydock-*' ! '(' -name .drydock -type d -empty ')' -exec mv \
    --backup=numbered -t "$2" {} +
}
# open FOLDER RIGHTS: gives their owner what folders deny him, each before it is entered.
open() { find "$1" -type d ! -perm "-u+$2" -execdir chmod "u+$2" {} ';'; }
remove() {
  for one; do
    [ -L "$one" ] || [ ! -d "$one" ] || open "$one" rwx
    rm -rf "$one"
  done
}
phase='' name=''
# The application could have written it: a name of restores, or none.
[ ! -f .drydock-state ] || [ -L .drydock-state ] || read -r phase name < .drydock-state || true
case ${name#.drydock-before-} in "$name" | '' | *[!0-9_]*) phase='' ;; esac

finish() {
  if [ "$phase" = leaving ]; then
    mkdir -p "$name"
    move . "$name"
    sync .
    note arriving "$name"
  fi
  [ ! -d "$next" ] || { move "$next" .; remove "$next"; }
  rm -f .drydock-state
  sync .
}

back() {
  if [ "$phase" = returning ]; then
    mkdir -p "$next"
    move . "$next"
    sync .
    note undoing "$name"
  fi
  [ ! -d "$name" ] || { move "$name" .; rmdir "$name"; }
  remove "$next"
  rm -f .drydock-state
  sync .
}

case $1 in
  unpack)
    [ -z "$phase" ] || fail "an earlier restore of files has not come to its end: ./drydock backup restore --resume"
    remove "$next"
    mkdir "$next"
    tar --extract --same-permissions --xattrs --xattrs-include='user.*' --directory "$next" ||
      { remove "$next"; exit 1; }
    # What is in a folder that nobody can enter has to be counted, and moved, too.
    open "$next" rx
    find "$next" -type f -printf x | wc -c
    ;;
  adopt)
    find "$next" ! -type l ! -perm -u+rw -exec chmod u+rwX {} +
    find "$next" -type d ! -perm -u+x -exec chmod u+x {} +
    chmod u=rwx,go=rx "$next"
    public=$next/${2:-public}
    [ -L "$public" ] || [ ! -d "$public" ] || find "$public" ! -type l -exec chmod go+rX {} +
    ;;
  count) find . -mindepth 1 ! -path './.drydock-*' -type f ! -name .gitignore -printf x | wc -c ;;
  swap)
    [ -z "$phase" ] && [ -d "$next" ] || fail "nothing was unpacked, or an earlier restore has not come to its end:" \
        "./drydock backup restore --resume"
    mkdir "$2"
    phase=leaving name=$2
    note "$phase" "$name"
    finish
    ;;
  undo)
    case ${2#.drydock-before-} in "$2" | '' | *[!0-9_]*) fail "$2 is not what a restore has kept" ;; esac
    [ -z "$phase" ] && [ -d "$2" ] || fail "nothing is kept as $2, or a restore has not come to its end: ./drydock" \
        "backup restore --resume"
    phase=returning name=$2
    note "$phase" "$name"
    back
    ;;
  settle) case $phase in
    leaving | arriving) finish; echo "$name" ;;
    returning | undoing) back; echo "undone $name" ;;
    *) remove "$next" .drydock-state.new ;; esac ;;
  left) [ -z "$phase" ] || echo "$phase $name" ;;
  clear) [ -n "$phase" ] || remove "$next" ;;
  kept) find . -mindepth 1 -maxdepth 1 -type d -name '.drydock-before-*' -printf '%f\n' |
    grep -x '[.]drydock-before-[0-9_]*' | sort || true ;;
  forget)
    # Half of what is live may be in one of them.
    [ -z "$phase" ] || fail "a restore has not come to its end: ./drydock backup restore --resume"
    for kept in .drydock-before-*; do
      [ -L "$kept" ] || [ ! -d "$kept" ] || remove "$kept"
    done
    ;;
esac
