/** Hears of what takes long. */
export interface Progress {
  /** A line for the user. @default nothing is shown */
  log?(line: string): void;
  /** Called as a long step moves on. @default as `log`, now and then */
  progress?(done: number, total: number, what: string): void;
}
