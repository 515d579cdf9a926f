#!/bin/sh
# redis-cli in Redis's container, as the user that redis-start.sh makes. Arguments: redis-cli's.
REDISCLI_AUTH=$(cat /dev/shm/drydock)
export REDISCLI_AUTH
if command -v redis-cli >/dev/null; then cli=redis-cli; else cli=valkey-cli; fi
exec "$cli" -h 127.0.0.1 --user drydock "$@"
