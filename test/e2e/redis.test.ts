import { imageTags } from "../../cli/setup/images.ts";
import { redisServer } from "../support/redisServer.ts";

redisServer("Redis's password", () => imageTags().redis);
