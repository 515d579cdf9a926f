import type { Provider } from "../plugin/resource.ts";
import { container } from "./container.ts";
import { configSchema, configure } from "./engine.ts";
import { image } from "./image.ts";
import { settled } from "./journal.ts";
import { network } from "./network.ts";
import { remoteImage } from "./remote-image.ts";
import { volume } from "./volume.ts";

/** The resources of Pulumi's own plugin "docker" that are stood in for here. */
export const provider: Provider = {
  name: "docker",
  version: "5.2.0",
  config: configSchema,
  configure: (config) => configure(config.values),
  settled,
  resources: {
    "docker:index/container:Container": container,
    "docker:index/image:Image": image,
    "docker:index/network:Network": network,
    "docker:index/remoteImage:RemoteImage": remoteImage,
    "docker:index/volume:Volume": volume,
  },
};
