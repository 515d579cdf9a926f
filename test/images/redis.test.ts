import { join } from "node:path";
import { debianImage } from "../support/debian.ts";
import { testImage } from "../support/image.ts";
import { redisServer } from "../support/redisServer.ts";

const folder = join(import.meta.dirname, "redis");

redisServer("Redis 7.0", async () => {
  const base = await debianImage("bookworm");
  return await testImage({
    name: "drydock/test-redis:7.0",
    folder,
    suite: "bookworm",
    depends: base,
    args: { BASE: base, PACKAGES: "redis-server redis-tools" },
  });
});

redisServer(
  "Valkey",
  () => testImage({ name: "drydock/test-valkey:1", folder, args: { PACKAGES: "valkey-server valkey-tools" } }),
  "valkey-cli",
);
