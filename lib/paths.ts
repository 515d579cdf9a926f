/** The value at a path of keys and indexes, own properties alone; undefined where there is none. */
export function at(value: unknown, path: readonly PropertyKey[]): unknown {
  for (const segment of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, segment)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[segment];
  }
  return value;
}
