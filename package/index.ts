export { LaravelStack, type LaravelStackArgs } from "../components/laravelStack.ts";
export type { Recorded, RecordsPlace, Service } from "../components/stackOutputs.ts";
export type * from "../config/given.ts";
