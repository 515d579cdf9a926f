import { docker } from "./clone.ts";

/** Asks the application's database, as the application's account. */
export const sqlIn = (container: string, query: string): string =>
  docker("exec", container, "mariadb", "--defaults-file=/run/drydock/client.cnf", "laravel", "-N", "-e", query);

/** Asks a database as root. @param client as the server's image has it */
export const sqlAsRoot = (container: string, query: string, { schema = "laravel", client = "mariadb" } = {}): string =>
  docker(
    ...["exec", container, "sh", "-c"],
    `MYSQL_PWD=$(cat /run/drydock/root-password) exec ${client} -uroot -N ${schema} -e "$1"`,
    ...["sql", query],
  );
