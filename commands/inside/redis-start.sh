#!/bin/sh
# Starts Redis in its container. Arguments: redis-server's, such as its configuration.
# Who may come in is in the volume, as hashes of passwords, so that a server that starts by itself knows it;
# redis-password.sh writes it. Before
# that, nobody comes in but the user `drydock`: health check, steps and doctor. Its password is new at each start and in
# memory only.
set -eu
umask 077
. /run/drydock/redis-rights.sh
own=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
printf %s "$own" > /dev/shm/drydock
{
  # The rights stand last: what the volume says of them, perhaps from before they were limited, counts no more.
  if [ -s /data/users.acl ]; then sed "s/^user default .*/& $RIGHTS/" /data/users.acl
  else echo "user default on ~* &* $RIGHTS"; fi
  echo "user drydock on >$own ~* &* +@all"
} > /dev/shm/users.acl
# Valkey is Redis under another name.
if command -v redis-server >/dev/null; then exec redis-server "$@"; else exec valkey-server "$@"; fi
