# A function for SQL as the root of a database's server; read by other scripts, not run by itself.
# shellcheck shell=sh

# as_root CONTAINER [OPTION...]: has the server run the SQL on standard input, with these options of its client. Root
# comes by the socket alone, and its password stays in the container. Neither it nor what is in the SQL is on a command
# line, or in a variable that other programs see.
as_root() {
  _container=$1
  shift
  docker exec --interactive "$_container" sh -euc '
    MYSQL_PWD=$(cat /run/drydock/root-password)
    export MYSQL_PWD
    client=$(command -v mariadb || command -v mysql)
    exec "$client" --no-defaults --protocol=socket --user=root "$@"' sql "$@"
}
