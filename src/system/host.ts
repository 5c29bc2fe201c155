import type { Bytes } from '../base/bytes.ts';

import type { Processes, RunProgram } from './program.ts';

/** Everything a command may reach outside its arguments. `main.ts` makes the real one, tests make theirs. */
export interface Host extends Processes {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The current folder. Reading it throws TcfError `host.cwd` (exit 2) where it was removed. */
  readonly cwd: string;
  readonly home: string;
  readonly uid: number;
  /** Folders to which only the administrator of the machine writes. */
  readonly machine: { readonly config: string; readonly state: string };
  /** The host's platform in the words of OCI: `linux`, `amd64`. */
  readonly architecture: string;
  /** The program and its first arguments that start this very tcf again, in absolute paths. */
  readonly self: readonly string[];
  readonly stdin: Bytes;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Standard error of a host that `--quiet` has silenced, for why nothing was started. */
  readonly unquieted?: Output;
  readonly now: () => Date;
  /** Waits so many milliseconds, or until the signal. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Resolves when the user or the system wants a server to end (SIGINT, SIGTERM). */
  readonly stopped: () => Promise<void>;
  /** Runs a program that is given something to read. */
  readonly program: RunProgram;
  /** From now on SIGINT ends the process with this exit code. */
  readonly onInterrupt: (exit: ExitCode) => void;
  /**
   * Loads a part of Node that it calls experimental, without the warning on the terminal. Absent: with it.
   */
  readonly quietly?: <T>(load: () => Promise<T>) => Promise<T>;
  /**
   * From now on the process gives memory back early, at the price of some time: a scan throws most of what it
   * allocates away at once. Absent: it takes what it gets.
   */
  readonly spareMemory?: () => void;
  /** Asks on the terminal without echo; `undefined` where there is no terminal. */
  readonly askSecret: (prompt: string) => Promise<string | undefined>;
}

export interface Output {
  readonly isTerminal: boolean;
  /** Whether signs may be in colour. */
  readonly hasColor: boolean;
  /** Of the terminal. */
  readonly columns?: number | undefined;
  /**
   * Resolves when the text was taken, so that a full pipe slows the writer down instead of filling the
   * memory.
   */
  write(text: string | Uint8Array): Promise<void>;
}

/** 0 yes, 1 no, 2 cannot tell, 3 asked wrongly; `tcf run` passes the container's own code. */
export type ExitCode = number;
