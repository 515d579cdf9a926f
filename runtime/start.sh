#!/bin/sh
# Entry point of every Laravel container: prepares what Laravel writes to, then becomes the service given as arguments.
# Environment: DRYDOCK_PATH (the application's folder), DRYDOCK_CACHE (1: build Laravel's caches).
set -eu
cd "$DRYDOCK_PATH"

# Beside what the image's PHP reads: an empty name is its own folder.
export PHP_INI_SCAN_DIR="${PHP_INI_SCAN_DIR-}:/run/drydock/php"
# What keeps a file of its own in the home folder needs one that it can write to.
[ -w "${HOME:-/}" ] || export HOME=/tmp
# Or a folder that these name: Caddy does not start where it can't make its own, and FrankenPHP's image gives it root's.
for name in XDG_CONFIG_HOME XDG_DATA_HOME; do
  eval "folder=\${$name-}"
  [ -z "$folder" ] || { mkdir -p "$folder" 2>/dev/null && [ -w "$folder" ]; } || export "$name=/tmp/$name"
done

# nginx reads what is stored here.
mkdir -p storage/app/public

# The caches hold secrets in plain text (config:cache): nobody else in the container may read them.
umask 077
mkdir -p storage/framework/cache/data storage/framework/sessions storage/framework/views storage/framework/testing \
  storage/logs bootstrap/cache
# Where it can't be made, PHP takes /tmp.
mkdir -p storage/app/.drydock-uploads 2>/dev/null || :
# PHP removes an upload with its request, unless it was killed.
find storage/app/.drydock-uploads -type f -mmin +1440 -exec rm -f {} + 2>/dev/null || :

# Caches are built here, with the final environment, never in the image: incident 10. The folders are fresh tmpfs,
# so there is nothing stale to clear after a release; `docker restart` keeps no tmpfs either.
if [ "${DRYDOCK_CACHE:-0}" = 1 ]; then
  php /drydock/cache.php "$DRYDOCK_PATH"
fi

umask 022
# The image's own start, where the stack's file names none (components/app.ts).
[ $# -gt 0 ] || eval "set -- $(cat /run/drydock/start)"
# PHP-FPM answers on the network of the proxy alone: the one with a way out, whose address is asked for here without
# sending anything.
case " $* " in *" /run/drydock/fpm.conf "*)
  DRYDOCK_LISTEN=$(php -n -r '$s = @stream_socket_client("udp://192.0.2.1:9");
    echo $s ? explode(":", stream_socket_get_name($s, false))[0] : "0.0.0.0";')
  export DRYDOCK_LISTEN
  # What asks this container's own 127.0.0.1 is told here.
  echo "$DRYDOCK_LISTEN" > /dev/shm/listen ;;
esac
# An init of the image's own has to be the first process.
case " $* " in
  " /init "*" octane:start "*) ;;
  *" octane:start "*) exec /bin/sh /drydock/octane.sh "$@" ;;
esac
exec "$@"
