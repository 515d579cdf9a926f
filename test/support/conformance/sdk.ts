import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import ts from "typescript";

/** What an SDK's types say of an input. */
export interface Shape {
  readonly kind: "string" | "number" | "boolean" | "list" | "map" | "object" | "any";
  /** Of a list or a map. */
  readonly of?: Shape;
  /** Of an object. */
  readonly fields?: Shapes;
  readonly required: boolean;
  /** As its documentation words it. */
  readonly default?: string;
}
export type Shapes = Readonly<Record<string, Shape>>;

const require = createRequire(import.meta.url);

/** Where a package's SDK declares the resource of a type token, as "docker:index/container:Container". */
function declaration(token: string): { readonly file: string; readonly name: string } {
  const [plugin = "", module = "", name = ""] = token.split(":");
  const folder = dirname(require.resolve(`@pulumi/${plugin}/package.json`));
  if (plugin === "pulumi") {
    const provider = dirname(require.resolve(`@pulumi/${name}/package.json`));
    return { file: join(provider, "provider.d.ts"), name: "Provider" };
  }
  const [first = "", second = name[0]!.toLowerCase() + name.slice(1)] = module.split("/");
  return { file: first === "index" ? join(folder, `${second}.d.ts`) : join(folder, first, `${second}.d.ts`), name };
}

/**
 * The inputs of resources, by type token, from the declarations of the SDKs that are installed from npm: what each is,
 * and the default that its documentation names. The SDKs ship no schema; which change replaces a resource is
 * in none of their files, but where the SDK itself adds `replaceOnChanges`.
 */
export function readSdk(tokens: readonly string[]): ReadonlyMap<string, Shapes> {
  const declarations = tokens.map((token) => [token, declaration(token)] as const);
  const program = ts.createProgram([...new Set(declarations.map(([, { file }]) => file))], {
    noEmit: true,
    skipLibCheck: true,
    strict: true,
    types: [],
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.Node16,
    moduleResolution: ts.ModuleResolutionKind.Node16,
  });
  const reader = new Reader(program.getTypeChecker());
  return new Map(
    declarations.map(([token, { file, name }]) => {
      const source = program.getSourceFile(file);
      if (source === undefined) throw new Error(`${token}: the SDK has no ${file}`);
      return [token, reader.inputs(source, name)];
    }),
  );
}

class Reader {
  constructor(private readonly checker: ts.TypeChecker) {}

  /** The second parameter of the resource's constructor. */
  inputs(source: ts.SourceFile, name: string): Shapes {
    const found = source.statements.find((one) => ts.isClassDeclaration(one) && one.name?.text === name);
    const made = (found as ts.ClassDeclaration | undefined)?.members.find(ts.isConstructorDeclaration);
    const type = made?.parameters[1]?.type;
    if (type === undefined) throw new Error(`${source.fileName} declares no resource ${name}`);
    return this.#fields(this.checker.getTypeFromTypeNode(type));
  }

  #fields(type: ts.Type): Shapes {
    return Object.fromEntries(
      this.checker.getPropertiesOfType(type).map((property) => {
        const required = (property.flags & ts.SymbolFlags.Optional) === 0;
        const words = ts.displayPartsToString(property.getDocumentationComment(this.checker));
        // Some name a variable of the environment, whose value it is.
        const found = /\bDefaults to `([^`]*)`(?! env)/.exec(words)?.[1];
        const shape = this.#shape(this.checker.getTypeOfSymbol(property), required);
        return [property.name, { ...shape, ...(found === undefined ? {} : { default: found }) }];
      }),
    );
  }

  #shape(type: ts.Type, required: boolean): Shape {
    const kinds = this.#plain(type);
    const [first] = kinds;
    if (first === undefined || kinds.some(({ flags }) => (flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) !== 0))
      return { kind: "any", required };
    const all = (flags: ts.TypeFlags): boolean => kinds.every((one) => (one.flags & flags) !== 0);
    if (all(ts.TypeFlags.StringLike)) return { kind: "string", required };
    if (all(ts.TypeFlags.NumberLike)) return { kind: "number", required };
    if (all(ts.TypeFlags.BooleanLike)) return { kind: "boolean", required };
    // Of what may be written in two ways (a text, or an object) either will do.
    if (kinds.length > 1) return { kind: "any", required };
    const element = this.checker.getIndexTypeOfType(first, ts.IndexKind.Number);
    if (this.checker.isArrayType(first) && element !== undefined)
      return { kind: "list", of: this.#shape(element, true), required };
    const value = this.checker.getIndexTypeOfType(first, ts.IndexKind.String);
    if (value !== undefined) return { kind: "map", of: this.#shape(value, true), required };
    return { kind: "object", fields: this.#fields(first), required };
  }

  /** What a value of this type may be once it is there: without promises, outputs and undefined. */
  #plain(type: ts.Type): readonly ts.Type[] {
    const parts = type.isUnion() ? type.types : [type];
    return parts.flatMap((part) => {
      if ((part.flags & (ts.TypeFlags.Undefined | ts.TypeFlags.Null)) !== 0) return [];
      const name = part.getSymbol()?.name;
      return name === "Promise" || name === "OutputInstance" ? [] : part.isUnion() ? this.#plain(part) : [part];
    });
  }
}
