/** What a load generator saw: each operation is ok, fail or unknown. On disk where the generator itself may be killed. */
import { closeSync, existsSync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs';

/**
 * `ok`: a 200, or a settled `delivered`. `fail`: a 4xx, or a 429 given before the message entered a lane: it must be
 * absent. `unknown`: a reset, a time-out, any other answer, or none yet: it may be there once.
 */
export type OperationState = 'ok' | 'fail' | 'unknown';

export class Ledger {
  readonly #states = new Map<string, OperationState>();
  readonly #file: number | null;

  private constructor(file: number | null) {
    this.#file = file;
  }

  static inMemory(): Ledger {
    return new Ledger(null);
  }

  /** Opens or goes on with a file of JSON lines; a torn last line, of a generator that was killed, is ignored. */
  static onDisk(path: string): Ledger {
    const earlier = existsSync(path) ? readFileSync(path, 'utf8') : '';
    const ledger = new Ledger(openSync(path, 'a', 0o600));
    for (const line of earlier.split('\n')) {
      const entry = parseEntry(line);
      for (const id of entry?.ids ?? []) ledger.#states.set(id, entry!.state);
    }
    if (earlier !== '' && !earlier.endsWith('\n')) writeSync(ledger.#file!, '\n');
    return ledger;
  }

  /** To be called before the operation is sent: should nothing else be heard, it stays unknown. Durable on return. */
  begin(ids: readonly string[]): void {
    this.#set(ids, 'unknown');
  }

  /** What was seen of it. Durable on return. */
  settle(ids: readonly string[], state: OperationState): void {
    this.#set(ids, state);
  }

  state(id: string): OperationState | undefined {
    return this.#states.get(id);
  }

  count(state: OperationState): number {
    let count = 0;
    for (const one of this.#states.values()) if (one === state) count++;
    return count;
  }

  get ids(): Iterable<string> {
    return this.#states.keys();
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file);
  }

  #set(ids: readonly string[], state: OperationState): void {
    if (this.#file !== null) {
      writeSync(this.#file, `${JSON.stringify({ state, ids })}\n`);
      fdatasyncSync(this.#file);
    }
    for (const id of ids) this.#states.set(id, state);
  }
}

function parseEntry(line: string): { state: OperationState; ids: string[] } | null {
  try {
    return JSON.parse(line) as { state: OperationState; ids: string[] };
  } catch {
    return null;
  }
}
