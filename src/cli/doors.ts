/** What the commands need beyond the contract. `cli.ts` hands it in; each piece is loaded when it is first used. */
import type { HeadraceService } from '../api/contract/service.ts';
import type { JsonObject, JsonValue, Problem, WrittenObject } from '../model/index.ts';

export interface Doors {
  /** The running server of the data folder (or at a URL), else the same service in this process. Throws HeadraceError. */
  open(target: Target): Promise<Opened>;
  /** A configuration file, or standard input for `-`. Paths in it become absolute. Throws HeadraceError when it cannot be read. */
  readConfiguration(path: string): Promise<FileObjects>;
  /** Objects as YAML and as one JSON object, both in the shape of the file. */
  exported(objects: readonly WrittenObject[]): Promise<{ yaml: string; json: JsonObject }>;
  schema(): Promise<JsonObject>;
  explain(trigger: string, record: JsonValue): Promise<Explained>;
  /** Resolve with the exit code once the server has ended. */
  start(options: StartOptions): Promise<number>;
  demo(options: Omit<StartOptions, 'config'>): Promise<number>;
  startKafka(data: string | null): Promise<{ bootstrap: string; pid: number | null; started: boolean }>;
  /** False: none was running. */
  stopKafka(data: string | null): Promise<boolean>;
  /** Aborts on SIGINT and SIGTERM; a second one ends the process at once. */
  interruption(): AbortSignal;
}

export interface Target {
  /** Null: the default of this place. */
  readonly data: string | null;
  /** Null: the server of the data folder, if there is one. */
  readonly server: string | null;
  /** `work` takes the data lock when no server runs, `look` only reads. */
  readonly use: 'work' | 'look';
  /** What the command does, for who meets its lock: `run orders`. */
  readonly role: string;
  /** Laid over what is stored, where the work is done in this process. */
  readonly over?: readonly WrittenObject[];
}

export interface Opened {
  readonly service: HeadraceService;
  /** Who does the work: the address of a server, or null for this process. */
  readonly server: string | null;
  close(): Promise<void>;
}

export interface FileObjects {
  readonly objects: readonly WrittenObject[];
  /** Adds line and column to problems of these objects. */
  readonly locate: (problems: readonly Problem[]) => readonly Problem[];
}

export interface Explained {
  readonly passed: boolean;
  /** For people: the clauses and what decided. */
  readonly text: string;
  /** The same for programs: `passed` and the clauses. */
  readonly json: object;
}

export interface StartOptions {
  readonly config: string | null;
  readonly data: string | null;
  readonly port: number | null;
  readonly host: string | null;
}
