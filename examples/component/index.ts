import * as drydock from "@drydock/laravel";
import * as pulumi from "@pulumi/pulumi";

// Two sites on one Docker host, each a LaravelStack of its own. Secrets are the program's own configuration:
// `pulumi config set --secret shop-app-key`.
const config = new pulumi.Config();

/** What differs from one site to the other. */
const site = (name: string, port: number, more: Partial<drydock.LaravelStackArgs> = {}) => {
  const secret = (key: string) => config.requireSecret(`${name}-${key}`);
  return new drydock.LaravelStack(name, {
    app: { image: config.require("image"), replicas: 1, memory: 256 },
    horizon: { enabled: false },
    scheduler: { enabled: false },
    database: { image: config.require("databaseImage"), rootPassword: secret("root-password") },
    redis: { image: config.require("redisImage"), cache: { enabled: false } },
    proxy: { image: config.require("proxyImage"), port },
    backup: { enabled: false },
    env: {
      APP_ENV: "local",
      APP_URL: `http://127.0.0.1:${port}`,
      APP_KEY: secret("app-key"),
      DB_CONNECTION: "mariadb",
      DB_DATABASE: name,
      DB_USERNAME: name,
      DB_PASSWORD: secret("database-password"),
      REDIS_PASSWORD: secret("redis-password"),
    },
    ...more,
  });
};

const shop = site("shop", config.requireNumber("shopPort"));
const blog = site("blog", config.requireNumber("blogPort"), { scheduler: { enabled: true } });

export const shopUrl = shop.url;
export const shopServices = shop.services;
export const blogUrl = blog.url;
export const blogServices = blog.services;
