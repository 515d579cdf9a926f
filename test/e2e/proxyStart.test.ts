import { imageTags } from "../../cli/setup/images.ts";
import { proxyStarts } from "../support/proxyStarts.ts";

proxyStarts("the project's own", () => Promise.resolve(imageTags().proxy));
