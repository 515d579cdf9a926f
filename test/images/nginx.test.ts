import { nginxImage } from "../support/debian.ts";
import { proxyStarts } from "../support/proxyStarts.ts";

// Older than the names that nginx resolves while it runs, and than the time in which a kept connection may be used
// again.
proxyStarts("nginx 1.22", () => nginxImage("bookworm"));
proxyStarts("nginx 1.26", () => nginxImage("trixie"));
