import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { parseConfiguration } from "../../../config/settings.ts";
import { type Site, siteConfiguration, sitePath } from "../../../servers/nginx/site.ts";
import { configuration } from "../../support/components/program.ts";

describe("a site's path of its own", () => {
  const site = (overrides: Record<string, unknown> = {}, more: Partial<Site> = {}) => {
    const { settings, environment } = parseConfiguration(configuration(overrides), "local");
    return siteConfiguration({
      ...{ ...settings, stage: "local", release: "0123456789ab", url: environment.plain.APP_URL! },
      ...{ replicas: ["app-1"], servers: [], network: "app" },
      ...more,
    });
  };

  it("is in its text, and the same for the same text", () => {
    assert.ok(site().includes(`location = ${sitePath(site())} {`));
    assert.equal(sitePath(site()), sitePath(site()));
  });

  it("is another for other settings and other replicas of the same release", () => {
    const paths = [
      site(),
      site({ proxy: { image: "nginx:1.30", uploadLimit: 77 } }),
      site({}, { replicas: ["app-1", "app-2"] }),
      site({}, { release: "ba9876543210" }),
    ].map(sitePath);
    assert.equal(new Set(paths).size, paths.length);
  });

  it("is asked of a site alone", () => {
    assert.throws(() => sitePath("server { listen 8080; }"), /not the text of a site/);
  });
});
