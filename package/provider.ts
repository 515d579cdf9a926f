import { readFileSync } from "node:fs";
import { join } from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import { LaravelStack, type LaravelStackArgs } from "../components/laravelStack.ts";

/** Makes LaravelStacks for programs in any language; its schema says what they may ask for. */
export class Provider implements pulumi.provider.Provider {
  readonly version: string;
  readonly #schema: string;

  /** @param root the package's folder */
  constructor(root: string) {
    this.#schema = readFileSync(join(root, "schema.json"), "utf8");
    this.version = (JSON.parse(this.#schema) as { readonly version: string }).version;
  }

  getSchema(): Promise<string> {
    return Promise.resolve(this.#schema);
  }

  async construct(
    name: string,
    type: string,
    inputs: pulumi.Inputs,
    options: pulumi.ComponentResourceOptions,
  ): Promise<pulumi.provider.ConstructResult> {
    if (type !== "drydock:index:LaravelStack")
      throw new Error(`${type} is not made here: the package drydock has drydock:index:LaravelStack alone`);
    const stack = new LaravelStack(name, inputs as LaravelStackArgs, options);
    // What is wrong with it is the answer, instead of an error of the whole plugin.
    await stack.registered();
    const { url, release, envHash, services, record, records, backupBucket } = stack;
    return { urn: stack.urn, state: { url, release, envHash, services, record, records, backupBucket } };
  }
}
