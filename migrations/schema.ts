import type { Column, Columns } from "./columns.ts";

/** What was there before the migrations, and what they have made since, which the serving release doesn't know. */
export class Schema {
  readonly #columns: Columns;
  readonly #tables = new Set<string>();
  readonly #added = new Set<string>();

  /** @param columns the columns before the migrations, as far as they are known */
  constructor(columns: Columns) {
    this.#columns = columns;
  }

  /** A column before the migrations; undefined where it is not known. */
  before(table: string, column: string): Column | undefined {
    return this.#columns[table]?.[column];
  }

  addTable(table: string): void {
    this.#tables.add(table);
  }

  addColumn(table: string, column: string): void {
    this.#added.add(`${table}.${column}`);
  }

  isNewTable(table: string): boolean {
    return this.#tables.has(table);
  }

  isNew(table: string, column: string): boolean {
    return this.isNewTable(table) || this.#added.has(`${table}.${column}`);
  }
}
