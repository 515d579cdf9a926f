# Runs in a one-off container of the database's image, as its user, with the database's volume on /data. Every step can be run again: one that was
# cut off goes on from where it was.
# $1 copy FOLDER (of /restore): a copy beside the live files, while the server runs
#    sync: has the copy on the disk, before anything is renamed
#    swap: the live files into .drydock-before, the copy into their place; the server is stopped
#    back: takes the swap back
#    keep: moves what was live out of the server's folder, into /previous
set -eu
umask 077
cd /data
incoming=.drydock-incoming before=.drydock-before
into() { find "$1" -mindepth 1 -maxdepth 1 ! -name "$incoming" ! -name "$before" ! -name lost+found -exec mv -t "$2" {} +; }
# The binary log goes on in its own numbers: whoever follows it sees no second beginning.
logs() { find "$1" -mindepth 1 -maxdepth 1 -name 'binlog.*' -exec mv -t "$2" {} +; }
case $1 in
  copy)
    [ ! -e "$before" ] || { echo "an earlier restore was cut off: what was live is in $before of the database's volume" >&2; exit 3; }
    rm -rf "$incoming"
    cp -a "/restore/$2" "$incoming.part"
    find "$incoming.part" -maxdepth 1 -name 'binlog.*' -exec rm -f {} +
    mv "$incoming.part" "$incoming"
    ;;
  sync)
    find "$incoming" -exec sync {} +
    ;;
  swap)
    mkdir -p "$before"
    [ -e "$before/.complete" ] || { into . "$before"; : > "$before/.complete"; }
    into "$incoming" .
    logs "$before" .
    rmdir "$incoming"
    ;;
  back)
    if [ -e "$before" ]; then
      mkdir -p "$incoming"
      [ ! -e "$before/.complete" ] || { into . "$incoming"; rm "$before/.complete"; logs "$incoming" .; }
      into "$before" .
      rmdir "$before"
    fi
    rm -rf "$incoming"
    ;;
  keep)
    cp -a "$before/." /previous/
    rm -f /previous/.complete
    rm -rf "$before"
    ;;
esac
