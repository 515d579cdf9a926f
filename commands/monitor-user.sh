#!/bin/sh
# Makes the database account that measures the server, or gives it its password and rights again: it reads how the
# server is, and no data.
# CONTAINER: of the database; ENGINE: mariadb|mysql
# Standard input: the account's password in one line
set -eu
. commands/functions/root-sql.sh
if [ "$ENGINE" = mysql ]; then rights="REPLICATION CLIENT"
else rights="BINLOG MONITOR, SLAVE MONITOR"; fi
read -r password
# Not into the binary log: it is for changes that a restored backup lacks.
printf '%s\n' "SET SESSION sql_log_bin = 0;
CREATE USER IF NOT EXISTS drydock_monitor@'%' IDENTIFIED BY '$password';
ALTER USER drydock_monitor@'%' IDENTIFIED BY '$password' WITH MAX_USER_CONNECTIONS 3;
GRANT PROCESS, $rights ON *.* TO drydock_monitor@'%';
GRANT SELECT ON performance_schema.* TO drydock_monitor@'%';" | as_root "$CONTAINER" \
  || { echo "monitor-user: the account drydock_monitor could not be made in $CONTAINER: is its root password the one" \
      "of drydock:database.rootPassword?" >&2; exit 1; }
echo "the account drydock_monitor may see how the server is, and no data"
