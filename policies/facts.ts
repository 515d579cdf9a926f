import { createRequire } from "node:module";
import { type Facts, factsIn } from "../config/facts.ts";

/** What the engine says of the stack that a policy pack is to judge. */
interface Told {
  getStack(): string;
  getProject(): string;
  getConfigMap(): { forEach(each: (value: string, key: string) => void): void };
}
type Handlers = Readonly<Record<string, unknown>>;
type ConfigureStack = (call: { readonly request: Told }, done: unknown) => void;

/**
 * What Drydock's settings say, out of the stack's configuration, which the engine tells every policy pack: so the rules
 * know uid, port and path without being told, under plain `pulumi preview --policy-pack policies` as well. The engine
 * says it by a call before the first resource; the SDK answers that call and drops the configuration, so it is read on
 * the way. Older engines have it in the environment.
 *
 * @param sdk where the SDK's own package for gRPC is found; to be called before the pack is made
 * @returns what is known when it is asked; nothing for another program, or an engine that doesn't tell
 */
export function listenForFacts(
  env: NodeJS.ProcessEnv,
  sdk = createRequire(import.meta.url).resolve("@pulumi/policy"),
): () => Facts | undefined {
  let facts = factsOfStack(env);
  const { Server } = createRequire(sdk)("@grpc/grpc-js") as {
    Server: { prototype: { addService(service: unknown, handlers: Handlers): void } };
  };
  const { addService } = Server.prototype;
  Server.prototype.addService = function (service, handlers) {
    const configureStack = handlers["configureStack"] as ConfigureStack | undefined;
    const listening: ConfigureStack = (call, done) => {
      const config: Record<string, string> = {};
      call.request.getConfigMap().forEach((value, key) => void (config[key] = value));
      facts = factsIn(ownKeys(config, call.request.getProject()), call.request.getStack());
      configureStack!(call, done);
    };
    return addService.call(
      this,
      service,
      configureStack === undefined ? handlers : { ...handlers, configureStack: listening },
    );
  };
  return () => facts;
}

/** The same out of a pack's environment. */
function factsOfStack(env: Readonly<Record<string, string | undefined>>): Facts | undefined {
  const { PULUMI_CONFIG: text, PULUMI_PROJECT, PULUMI_NODEJS_PROJECT, PULUMI_STACK, PULUMI_NODEJS_STACK } = env;
  const [project, stack] = [PULUMI_PROJECT ?? PULUMI_NODEJS_PROJECT, PULUMI_STACK ?? PULUMI_NODEJS_STACK];
  if (text === undefined || project === undefined || stack === undefined) return undefined;
  const config = JSON.parse(text) as Readonly<Record<string, unknown>>;
  return factsIn(ownKeys(config, project), stack);
}

/** The keys of a configuration below a project's name, without it. */
export function ownKeys(config: Readonly<Record<string, unknown>>, project: string): Record<string, unknown> {
  const prefix = `${project}:`;
  return Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  );
}
