#!/bin/sh
# redis-cli in Redis's container, as the user that redis-start.sh makes. Arguments: redis-cli's.
REDISCLI_AUTH=$(cat /dev/shm/drydock)
export REDISCLI_AUTH
exec redis-cli -h 127.0.0.1 --user drydock "$@"
