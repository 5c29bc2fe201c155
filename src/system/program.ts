/** What a program left behind. */
export interface Ran {
  readonly code: number;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

export interface ProgramLimits {
  /** Milliseconds until it is killed. */
  readonly timeout: number;
  /** Bytes of standard output. */
  readonly output: number;
}

/**
 * Starts a program without a shell, writes `input` to its standard input, and waits for its end. It sees the
 * environment of tcf.
 *
 * @throws TcfError `process.start`, `process.limit` (exit 2): it cannot be started, takes too long or says
 *   too much.
 */
export type RunProgram = (
  file: string,
  args: readonly string[],
  input: Uint8Array,
  limits: ProgramLimits,
) => Promise<Ran>;

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How processes are started; the shell is never between. */
export interface Processes {
  /** Runs to the end and keeps what it printed, up to 1 MiB of each stream. */
  run(file: string, args: readonly string[]): Promise<Finished>;
  /** Gives the terminal to the process; its exit code is the answer. */
  exec(file: string, args: readonly string[]): Promise<number>;
  /** The absolute path of a program on PATH. */
  find(name: string): string | undefined;
}
