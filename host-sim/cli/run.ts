/** Runs a command's action; what it answers is the exit code. */
export type Run = (action: () => Promise<number> | number) => Promise<void>;
