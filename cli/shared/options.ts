/** Options that several verbs have. */
export const STACK = ["-s, --stack <name>", "the stack (default: the selected one, or local)"] as const;
export const YES = ["-y, --yes", "don't ask"] as const;
