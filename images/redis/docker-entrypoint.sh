#!/bin/sh
# Options and configuration files after the image's name are redis-server's: `drydock/redis --appendonly yes`.
set -eu
case "${1:-}" in
  "" | -* | *.conf) set -- redis-server "$@" ;;
esac
# Dumps and append-only files hold sessions: nobody else reads them.
umask 0077
exec "$@"
