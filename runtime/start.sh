#!/bin/sh
# Entry point of every Laravel container: prepares what Laravel writes to, then becomes the service given as arguments.
# Environment: DRYDOCK_PATH (the application's folder), DRYDOCK_CACHE (1: build Laravel's caches).
set -eu
cd "$DRYDOCK_PATH"

# nginx reads what is stored here.
mkdir -p storage/app/public

# The caches hold secrets in plain text (config:cache): nobody else in the container may read them.
umask 077
mkdir -p storage/framework/cache/data storage/framework/sessions storage/framework/views storage/framework/testing \
  storage/logs bootstrap/cache

# Caches are built here, with the final environment, never in the image: known issue 10. The folders are fresh tmpfs,
# so there is nothing stale to clear after a release; `docker restart` keeps no tmpfs either.
if [ "${DRYDOCK_CACHE:-0}" = 1 ]; then
  php /drydock/cache.php "$DRYDOCK_PATH"
fi

umask 022
exec "$@"
