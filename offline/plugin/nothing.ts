/** Stands for packages that dockerode loads and the plugin never uses. */
export const Client = undefined;
export default {};
