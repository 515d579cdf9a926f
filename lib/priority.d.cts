/** Gives this process, and what it starts from here on, a niceness of 10, if it hasn't a higher one. */
export function lowerPriority(): void;
