import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { LanguageRuntimeService } from "@pulumi/pulumi/proto/language_grpc_pb.js";
import * as pb from "@pulumi/pulumi/proto/language_pb.js";
import * as plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import * as empty from "google-protobuf/google/protobuf/empty_pb.js";
import { listen } from "../plugin/listen.ts";
import { dependencies, installedPlugins, shellWords } from "./packages.ts";

/** The program's exit code for "it has been said already what is wrong" (@pulumi/pulumi/cmd/run). */
const BAIL = 32;
const children = new Set<ChildProcess>();
let engine: string | undefined;

/** Starts node with one of the SDK's entry scripts, as the program's own `@pulumi/pulumi` has them. */
function startNode(
  info: pb.ProgramInfo,
  cwd: string,
  script: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  stdio: "inherit" | "pipe",
): ChildProcess {
  const options = info.getOptions()?.toJavaScript() ?? {};
  const typescript = options.typescript === undefined ? {} : { PULUMI_NODEJS_TYPESCRIPT: String(options.typescript) };
  const tsconfig = options.tsconfig === undefined ? {} : { PULUMI_NODEJS_TSCONFIG_PATH: String(options.tsconfig) };
  const entry = resolveFrom(info.getProgramDirectory(), `@pulumi/pulumi/cmd/${script}`);
  const child = spawn("node", [...shellWords(String(options.nodeargs ?? "")), entry, ...args], {
    cwd,
    env: { ...env, ...typescript, ...tsconfig },
    stdio: stdio === "inherit" ? ["ignore", "inherit", "inherit"] : ["ignore", "pipe", "pipe"],
  });
  children.add(child);
  child.once("close", () => children.delete(child));
  return child;
}

function resolveFrom(directory: string, module: string): string {
  try {
    return createRequire(join(directory, "package.json")).resolve(module);
  } catch {
    throw new Error(`Cannot find module '${module}' from ${directory}. Install the packages of the program: npm ci`);
  }
}

const exit = (child: ChildProcess): Promise<{ code: number | null; signal: string | null }> =>
  new Promise((resolve, reject) => {
    child.once("error", (error) => reject(new Error(`could not start node: ${error.message}; it must be on PATH`)));
    child.once("close", (code, signal) => resolve({ code, signal }));
  });

async function run(
  request: pb.RunRequest,
  call: grpc.ServerUnaryCall<pb.RunRequest, pb.RunResponse>,
): Promise<pb.RunResponse> {
  const info = request.getInfo()!;
  const flags: [string, string][] = [
    ["monitor", request.getMonitorAddress()],
    ["engine", engine ?? ""],
    ["organization", request.getOrganization()],
    ["project", request.getProject()],
    ["root-directory", info.getRootDirectory()],
    ["stack", request.getStack()],
    ["pwd", request.getPwd()],
    ["parallel", String(request.getParallel())],
  ];
  const args = [
    ...flags.filter(([, value]) => value !== "").flatMap(([name, value]) => [`--${name}`, value]),
    ...(request.getDryrun() ? ["--dry-run"] : []),
    ...(request.getQuerymode() ? ["--query-mode"] : []),
    info.getEntryPoint() || ".",
    ...request.getArgsList(),
  ];
  const config = Object.fromEntries([...request.getConfigMap().entries()]);
  const child = startNode(
    info,
    request.getPwd() || info.getProgramDirectory(),
    "run",
    args,
    {
      ...process.env,
      PULUMI_CONFIG: JSON.stringify(config),
      PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
    },
    "inherit",
  );
  call.on("cancelled", () => child.kill());
  const { code, signal } = await exit(child);
  const response = new pb.RunResponse();
  if (code === BAIL) response.setBail(true);
  else if (signal) response.setError(`Program exited unexpectedly: ended by ${signal}`);
  else if (code !== 0) response.setError(`Program exited with non-zero exit code: ${code}`);
  return response;
}

/**
 * A policy pack, or a plugin written for Node: its output and exit code go back to the engine, which talks to it
 * directly.
 */
function runPlugin(call: grpc.ServerWritableStream<pb.RunPluginRequest, pb.RunPluginResponse>): void {
  const request = call.request;
  const info = request.getInfo()!;
  const env = Object.fromEntries(
    request.getEnvList().map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]),
  );
  const analyzer = request.getKind() === "analyzer";
  const directory = info.getProgramDirectory();
  const send = (fill: (response: pb.RunPluginResponse) => void): void => {
    const response = new pb.RunPluginResponse();
    fill(response);
    call.write(response);
  };
  try {
    const child = startNode(
      info,
      analyzer ? directory : request.getPwd(),
      analyzer ? "run-policy-pack" : "run-plugin",
      analyzer ? [...request.getArgsList(), directory] : [directory, ...request.getArgsList()],
      { ...process.env, ...env },
      "pipe",
    );
    call.on("cancelled", () => child.kill());
    child.stdout!.on("data", (chunk: Buffer) => send((response) => response.setStdout(chunk)));
    child.stderr!.on("data", (chunk: Buffer) => send((response) => response.setStderr(chunk)));
    exit(child).then(
      ({ code }) => {
        send((response) => response.setExitcode(code ?? 1));
        call.end();
      },
      (error: Error) => call.destroy(error),
    );
  } catch (error) {
    call.destroy(error as Error);
  }
}

const unary: { [method: string]: (request: any, call: any) => Promise<unknown> | unknown } = {
  run,
  handshake(request: pb.LanguageHandshakeRequest) {
    engine = request.getEngineAddress();
    return new pb.LanguageHandshakeResponse();
  },
  getPluginInfo() {
    const response = new plugin.PluginInfo();
    response.setVersion("3.256.0");
    return response;
  },
  getRequiredPackages(request: pb.GetRequiredPackagesRequest) {
    const response = new pb.GetRequiredPackagesResponse();
    for (const { name, version, server } of installedPlugins(request.getInfo()!.getProgramDirectory())) {
      const dependency = new plugin.PackageDependency();
      dependency.setName(name);
      dependency.setKind("resource");
      dependency.setVersion(version);
      dependency.setServer(server);
      response.addPackages(dependency);
    }
    return response;
  },
  getRequiredPlugins(request: pb.GetRequiredPluginsRequest) {
    const response = new pb.GetRequiredPluginsResponse();
    for (const { name, version, server } of installedPlugins(request.getInfo()!.getProgramDirectory())) {
      const dependency = new plugin.PluginDependency();
      dependency.setName(name);
      dependency.setKind("resource");
      dependency.setVersion(version);
      dependency.setServer(server);
      response.addPlugins(dependency);
    }
    return response;
  },
  getProgramDependencies(request: pb.GetProgramDependenciesRequest) {
    const response = new pb.GetProgramDependenciesResponse();
    for (const { name, version } of dependencies(request.getInfo()!.getProgramDirectory())) {
      const dependency = new pb.DependencyInfo();
      dependency.setName(name);
      dependency.setVersion(version);
      response.addDependencies(dependency);
    }
    return response;
  },
  about() {
    const response = new pb.AboutResponse();
    response.setExecutable(process.execPath);
    response.setVersion(process.version);
    return response;
  },
  runtimeOptionsPrompts: () => new pb.RuntimeOptionsResponse(),
  cancel: () => new empty.Empty(),
};

/** `pulumi install`: the packages of the program, from its lock file where there is one. */
function installDependencies(
  call: grpc.ServerWritableStream<pb.InstallDependenciesRequest, pb.InstallDependenciesResponse>,
): void {
  const child = spawn("npm", ["install"], {
    cwd: call.request.getInfo()!.getProgramDirectory(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const send = (chunk: Buffer): void => {
    const response = new pb.InstallDependenciesResponse();
    response.setStdout(chunk);
    call.write(response);
  };
  child.stdout.on("data", send);
  child.stderr.on("data", send);
  exit(child).then(
    ({ code }) => (code === 0 ? call.end() : call.destroy(new Error(`npm install ended with exit code ${code}`))),
    (error: Error) => call.destroy(error),
  );
}

const service = Object.fromEntries(
  Object.entries(unary).map(([name, handler]) => [
    name,
    (call: grpc.ServerUnaryCall<unknown, unknown>, done: grpc.sendUnaryData<unknown>) => {
      Promise.resolve()
        .then(() => handler(call.request, call))
        .then(
          (response) => done(null, response),
          (error: Error) => done({ code: grpc.status.UNKNOWN, message: error.message, details: error.message }, null),
        );
    },
  ]),
);
void listen(
  (server) => server.addService(LanguageRuntimeService as any, { ...service, runPlugin, installDependencies }),
  () => {
    for (const child of children) child.kill();
  },
).then((address) => {
  engine = address;
});
