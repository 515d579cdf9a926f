import { type Kind, type ObjectType, objectTypes, type Property } from "../config/types.ts";
import { sentences } from "../config/typesText.ts";

type Json = Readonly<Record<string, unknown>>;

/** Pulumi's schema of the package: from it, SDKs for Python, Go, .NET and Java are made, and YAML is checked. */
export function packageSchema(version: string, description: string): Json {
  const [stack, ...others] = objectTypes();
  return {
    name: "drydock",
    version,
    description,
    license: "MIT",
    types: {
      ...Object.fromEntries(others.map((type) => [token(type.name), { type: "object", ...objectText(type) }])),
      ...OUTPUT_TYPES,
    },
    resources: {
      "drydock:index:LaravelStack": {
        isComponent: true,
        description: "Laravel in production on Docker: what lasts, and one release after the other.",
        inputProperties: {
          ...objectText(stack!).properties,
          label: {
            type: "string",
            description:
              "What tells it from others on the same Docker host: the value of the label `drydock.stack` on all " +
              "that is " +
              "made.\nDefault: the component's name and the Pulumi stack's, such as shop-prod",
          },
          prefix: {
            type: "string",
            description: "What the names of its resources begin with.\nDefault: the component's name and a hyphen",
          },
        },
        ...OUTPUTS,
      },
    },
    language: {
      nodejs: { respectSchemaVersion: true },
      python: { respectSchemaVersion: true, pyproject: { enabled: true } },
      go: { respectSchemaVersion: true, generateResourceContainerTypes: true },
      csharp: { respectSchemaVersion: true },
    },
  };
}

function objectText({ description, properties }: ObjectType) {
  return {
    description: `${description}.`,
    properties: Object.fromEntries(properties.map((property) => [property.name, propertyText(property)])),
    required: properties.filter(({ required }) => required).map(({ name }) => name),
  };
}

function propertyText(property: Property): Json {
  const lines = sentences(property).map((line) => line.replace(/^@default/, "Default:"));
  return {
    ...typeText(property.kind),
    description: lines.join("\n"),
    ...(property.secret ? { secret: true } : {}),
  };
}

function typeText(kind: Kind): Json {
  switch (kind.is) {
    case "object":
      return { $ref: `#/types/${token(kind.name)}` };
    case "list":
      return { type: "array", items: typeText(kind.of) };
    case "map":
      return { type: "object", additionalProperties: typeText(kind.of) };
    // An enum would be a type of its own in each language, for two or three words.
    case "choice":
      return { type: "string" };
    default:
      return { type: kind.is };
  }
}

const token = (name: string): string => `drydock:index:${name}Settings`;

const string = (description: string) => ({ type: "string", description });
const OUTPUTS = {
  properties: {
    url: string("APP_URL."),
    release: string("Which release it is: 12 hex digits."),
    envHash: string("Tells two blocks of variables apart without telling what is in them: 64 hex digits."),
    services: {
      type: "array",
      items: { $ref: "#/types/drydock:index:Service" },
      description: "The containers that run.",
    },
    record: { $ref: "#/types/drydock:index:Recorded", description: "The release that serves." },
    records: { $ref: "#/types/drydock:index:RecordsPlace", description: "Where the records are." },
    backupBucket: string("The bucket for backups, if there is one."),
  },
  required: ["release", "envHash", "services", "records"],
} as const;

/** As components/stackOutputs.ts has them. */
const OUTPUT_TYPES = {
  "drydock:index:Service": {
    type: "object",
    description: "One container of a stack.",
    properties: {
      name: string("The service's own name, the same from release to release: app-1, database, …"),
      role: string("What it is for."),
      container: string("Name of the container that runs it now."),
      image: string("The image that it runs."),
    },
    required: ["name", "role", "container", "image"],
  },
  "drydock:index:Recorded": {
    type: "object",
    description: "What is recorded of a release.",
    properties: {
      sequence: { type: "integer", description: "How many came before it." },
      release: string("12 hex digits."),
      image: string("The image's reference."),
      id: string("The image's id."),
      digest: string("The image's digest in its registry, if it has one."),
      by: string("Who released it."),
      commit: string("The commit of the program, if it is known."),
      at: string("When, in UTC."),
      seconds: { type: "number", description: "How long it took, if it is known." },
    },
    required: ["sequence", "release", "image", "id", "by", "at"],
  },
  "drydock:index:RecordsPlace": {
    type: "object",
    description: "How the records are reached.",
    properties: {
      volume: string("Their volume."),
      image: string("The image of the container that reads them."),
      user: string("The user that it runs as: uid and gid."),
    },
    required: ["volume", "image", "user"],
  },
} as const;
