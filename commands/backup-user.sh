#!/bin/sh
# Makes the database account of the backup agent, or gives it its password and rights again, on new and on existing
# data.
# CONTAINER: of the database; ENGINE: mariadb|mysql
# Standard input: the account's password in one line
set -eu
. commands/functions/root-sql.sh
if [ "$ENGINE" = mysql ]; then position="REPLICATION CLIENT"
else position="BINLOG MONITOR"; fi
read -r password
# Not into the binary log: it is for changes that a restored backup lacks.
printf '%s\n' "SET SESSION sql_log_bin = 0;
CREATE USER IF NOT EXISTS drydock_backup@'%' IDENTIFIED BY '$password';
ALTER USER drydock_backup@'%' IDENTIFIED BY '$password' WITH MAX_USER_CONNECTIONS 12;
-- The official images once made a root for the whole network, and so did ours. This session is another one.
SET @other = IF(CURRENT_USER() = 'root@localhost', 'DROP USER IF EXISTS root@\`%\`', 'DO 0');
PREPARE other FROM @other;
EXECUTE other;
DEALLOCATE PREPARE other;
GRANT SELECT, RELOAD, PROCESS, LOCK TABLES, $position, SHOW VIEW, EVENT, TRIGGER, REPLICATION SLAVE ON *.*
  TO drydock_backup@'%';" | as_root "$CONTAINER" \
  || { echo "backup-user: the account drydock_backup could not be made in $CONTAINER: is its root password the one of" \
      "drydock:database.rootPassword?" >&2; exit 1; }
echo "the account drydock_backup may read, lock and follow the binary log, and change nothing"
