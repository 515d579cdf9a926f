# Runs as the database's user, with the database's volume in /var/lib/mysql (or DATA). Every step can be run again: one that was cut off goes on from where it was.
# $1 swap FOLDER: the live files into leaving/, those of FOLDER into their place; the server is stopped
#    back: takes the swap back
#    keep NAME: the swap was good; what was live is kept under that name, before-TIME
#    clear: what was to be put in place is not wanted any more
#    left: prints what a swap that was cut off has set aside
#    kept: prints what is kept
#    forget: removes it for good
set -eu
umask 077
cd "${DATA:-/var/lib/mysql}"
mkdir -p .drydock
cd .drydock
into() { find "$1" -mindepth 1 -maxdepth 1 ! -name .drydock ! -name lost+found -exec mv -t "$2" {} +; }
# The binary log goes on in its own numbers: whoever follows it sees no second beginning.
logs() { find "$1" -mindepth 1 -maxdepth 1 -name 'binlog.*' -exec mv -t "$2" {} +; }
case $1 in
  swap)
    find "$2" -mindepth 1 -maxdepth 1 \( -name 'binlog.*' -o -name .drydock \) -exec rm -rf {} +
    mkdir -p leaving
    [ -e leaving/.complete ] || { into .. leaving; : > leaving/.complete; }
    into "$2" ..
    logs leaving ..
    sync leaving ..
    ;;
  back)
    if [ -e leaving ]; then
      mkdir -p returned
      [ ! -e leaving/.complete ] || { into .. returned; logs returned ..; rm leaving/.complete; }
      into leaving ..
      rmdir leaving
      sync . ..
    fi
    rm -rf returned
    ;;
  keep)
    rm -f leaving/.complete
    mv leaving "$2"
    rm -rf restores/*
    ;;
  clear) rm -rf restores/* ;;
  left) find . -maxdepth 1 -name leaving ;;
  kept) find . -mindepth 1 -maxdepth 1 -name 'before-*' | sed 's|^\./||' | sort ;;
  forget) rm -rf before-* ;;
esac
