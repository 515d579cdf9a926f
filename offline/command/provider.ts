import type { Provider } from "../plugin/resource.ts";
import { command } from "./command.ts";

/** The resources of Pulumi's own plugin "command" that are stood in for here. */
export const provider: Provider = {
  name: "command",
  version: "1.2.1",
  config: {},
  configure: () => undefined,
  resources: { "command:local:Command": command },
};
