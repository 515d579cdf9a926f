import { serve } from "../plugin/server.ts";
import { provider } from "./provider.ts";

void serve(provider);
