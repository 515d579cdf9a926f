#!/bin/bash
# As much of the official mysql image's start as Drydock uses: MYSQL_ROOT_PASSWORD_FILE, MYSQL_DATABASE, MYSQL_USER,
# MYSQL_PASSWORD_FILE on an empty folder.
set -euo pipefail
[ "${1:-}" = mysqld ] || set -- mysqld "$@"
set -- "$@" --datadir=/var/lib/mysql --socket=/run/mysqld/mysqld.sock --pid-file=/run/mysqld/mysqld.pid \
  --secure-file-priv=NULL
if [ ! -d /var/lib/mysql/mysql ]; then
  root=$(< "$MYSQL_ROOT_PASSWORD_FILE")
  mysqld --no-defaults --initialize-insecure --datadir=/var/lib/mysql
  # Not the usual socket: a health check must not find the temporary server.
  "$@" --skip-networking --socket=/run/mysqld/init.sock --mysqlx=OFF &
  until mysql --no-defaults --socket=/run/mysqld/init.sock --user=root -e 'SELECT 1' > /dev/null 2>&1; do kill -0 $!
  sleep 0.2; done
  {
    echo "SET sql_log_bin = 0; CREATE USER root@'%' IDENTIFIED BY '$root'; GRANT ALL ON *.* TO root@'%' WITH GRANT" \
        "OPTION;"
    if [ -n "${MYSQL_DATABASE:-}" ]; then echo "CREATE DATABASE \`$MYSQL_DATABASE\`;"; fi
    if [ -n "${MYSQL_USER:-}" ]; then echo "CREATE USER '$MYSQL_USER'@'%' IDENTIFIED BY" \
        "'$(< "$MYSQL_PASSWORD_FILE")'; GRANT ALL ON \`${MYSQL_DATABASE//_/\\_}\`.* TO '$MYSQL_USER'@'%';"; fi
    echo "ALTER USER root@localhost IDENTIFIED BY '$root';"
  } | mysql --no-defaults --socket=/run/mysqld/init.sock --user=root
  kill $!
  wait $!
fi
unset "${!MYSQL_@}"
exec "$@"
