import type { LenientSettings } from "./found.ts";
import { caFile } from "./schema/external.ts";
import { hasCacheServer } from "./schema/redis.ts";
import { ownServer } from "./variableTypes.ts";

type Given = { readonly settings: LenientSettings };
type Server = "database" | "redis";

const placeOf = (server: Server, part: "host" | "port", usual: string, { settings }: Given): string =>
  String(settings[server]?.external?.[part] ?? usual);

/**
 * Where a server is follows from the settings, and can't be said otherwise.
 *
 * @param usual where the stack's own is
 */
export function placed(server: Server, part: "host" | "port", usual: string) {
  return {
    default: (given: Given) => placeOf(server, part, usual, given),
    computed: `${usual}; as \`${server}.external\` says, where that is set`,
    check: (value: string, given: Given) => {
      const expected = placeOf(server, part, usual, given);
      if (value === expected) return undefined;
      const why =
        given.settings[server]?.external === undefined
          ? `${ownServer}; a server elsewhere is drydock:${server}.external`
          : `which drydock:${server}.external says`;
      return `is another one: expected ${expected}, ${why}`;
    },
    example: usual,
  };
}

const cacheServers = (given: Given): readonly [string, ...string[]] => {
  const lasting = placeOf("redis", "host", "redis", given);
  return hasCacheServer(given.settings.redis ?? {}) ? ["redis-cache", lasting] : [lasting];
};

/** Where the cache's server is: an application that is to have it beside sessions and jobs may say that. */
export const cachePlace = {
  default: (given: Given) => cacheServers(given)[0],
  computed: "redis-cache; as REDIS_HOST where `redis.cache.enabled` is false",
  check: (value: string, given: Given) => {
    const possible = cacheServers(given);
    return possible.includes(value) ? undefined : `is another one: expected ${possible.join(", or ")}`;
  },
};

/** The file by which a server elsewhere is checked. */
export const certificates = (server: Server) => ({
  default: ({ settings }: Given) => {
    const { tls, ca } = settings[server]?.external ?? {};
    return tls === true ? caFile(server, ca) : undefined;
  },
  computed: `where \`${server}.external\` has \`tls\`: the file of its \`ca\`, else that of public authorities`,
});
