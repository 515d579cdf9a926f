#!/bin/sh
# Makes the database account that measures the server, or gives it its password and rights again: it reads how the
# server is, and no data.
# CONTAINER: of the database; ENGINE: mariadb|mysql
# Standard input: the account's password in one line. It and root's, which is in the container, go through no command
# line and no variable outside.
set -eu
if [ "$ENGINE" = mysql ]; then client=mysql rights="REPLICATION CLIENT"
else client=mariadb rights="BINLOG MONITOR, SLAVE MONITOR"; fi
# Not into the binary log: it is for changes that a restored backup lacks.
docker exec --interactive "$CONTAINER" sh -eu -c '
  read -r password
  MYSQL_PWD=$(cat /run/drydock/root-password)
  export MYSQL_PWD
  "$0" --no-defaults --protocol=socket --user=root <<SQL
SET SESSION sql_log_bin = 0;
CREATE USER IF NOT EXISTS drydock_monitor@"%" IDENTIFIED BY "$password";
ALTER USER drydock_monitor@"%" IDENTIFIED BY "$password" WITH MAX_USER_CONNECTIONS 3;
GRANT PROCESS, $1 ON *.* TO drydock_monitor@"%";
GRANT SELECT ON performance_schema.* TO drydock_monitor@"%";
SQL' "$client" "$rights" \
  || { echo "monitor-user: the account drydock_monitor could not be made in $CONTAINER: is its root password the one" \
      "of drydock:database.rootPassword?" >&2; exit 1; }
echo "the account drydock_monitor may see how the server is, and no data"
