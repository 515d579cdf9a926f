import { serve } from "../plugin/server.ts";
import { command } from "./command.ts";

void serve({
  name: "command",
  version: "1.2.1",
  config: {},
  configure: () => undefined,
  resources: { "command:local:Command": command },
});
