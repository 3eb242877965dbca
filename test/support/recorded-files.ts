/**
 * A file system in memory that records each step, fails where it is told to, and can be cut off at any step as a power loss
 * would: what was not flushed is there, not there, or half there, block by block; names likewise.
 */
import { dirname } from 'node:path';
import type { SpoolFile, SpoolFiles } from '../../src/delivery/spool/files.ts';
import type { Random } from './random.ts';

export type Step =
  | { readonly kind: 'create' | 'remove'; readonly path: string; readonly file: Content }
  | { readonly kind: 'rename'; readonly path: string; readonly to: string; readonly file: Content }
  | {
      readonly kind: 'write';
      readonly path: string;
      readonly file: Content;
      readonly at: number;
      readonly bytes: Buffer;
    }
  | { readonly kind: 'truncate'; readonly path: string; readonly file: Content; readonly bytes: number }
  | { readonly kind: 'sync'; readonly path: string; readonly file: Content }
  | { readonly kind: 'syncFolder'; readonly path: string };

/** A file's bytes now. */
export interface Content {
  bytes: Buffer;
}

/** A page of the cache: written back whole, in part or not at all. */
const BLOCK_BYTES = 512;

export class RecordedFiles implements SpoolFiles {
  readonly steps: Step[] = [];
  readonly files: Map<string, Content>;
  /** Called before a step; throws to make it fail. */
  before: (kind: Step['kind'], path: string, bytes: number) => void = () => undefined;

  constructor(files: ReadonlyMap<string, Buffer> = new Map()) {
    this.files = new Map([...files].map(([path, bytes]) => [path, { bytes: Buffer.from(bytes) }]));
  }

  makeFolder = (): Promise<void> => Promise.resolve();

  list(folder: string): ReturnType<SpoolFiles['list']> {
    const found = [...this.files].filter(([path]) => dirname(path) === folder);
    return Promise.resolve(
      found.map(([path, { bytes }]) => ({ name: path.slice(folder.length + 1), bytes: bytes.length })),
    );
  }

  async create(path: string): Promise<SpoolFile> {
    if (this.files.has(path)) throw Object.assign(new Error(`${path} exists`), { code: 'EEXIST' });
    this.before('create', path, 0);
    const file = { bytes: Buffer.alloc(0) };
    this.files.set(path, file);
    this.steps.push({ kind: 'create', path, file });
    return this.#handle(path, file);
  }

  open(path: string): Promise<SpoolFile> {
    const file = this.files.get(path);
    if (file === undefined) return Promise.reject(Object.assign(new Error(`no ${path}`), { code: 'ENOENT' }));
    return Promise.resolve(this.#handle(path, file));
  }

  async rename(path: string, to: string): Promise<void> {
    this.before('rename', path, 0);
    const file = this.files.get(path)!;
    this.files.delete(path);
    this.files.set(to, file);
    this.steps.push({ kind: 'rename', path, to, file });
  }

  async remove(path: string): Promise<void> {
    this.before('remove', path, 0);
    const file = this.files.get(path);
    if (file === undefined) return;
    this.files.delete(path);
    this.steps.push({ kind: 'remove', path, file });
  }

  async syncFolder(path: string): Promise<void> {
    this.before('syncFolder', path, 0);
    this.steps.push({ kind: 'syncFolder', path });
  }

  #handle(path: string, file: Content): SpoolFile {
    let closed = false;
    const step = (kind: Step['kind'], bytes: number): void => {
      if (closed) throw Object.assign(new Error(`${path} is closed`), { code: 'EBADF' });
      this.before(kind, path, bytes);
    };
    return {
      write: async (buffers, at) => {
        const bytes = Buffer.concat(buffers);
        step('write', bytes.length);
        apply(file, at, bytes);
        this.steps.push({ kind: 'write', path, file, at, bytes });
      },
      read: async (into, at) => {
        if (closed) throw Object.assign(new Error(`${path} is closed`), { code: 'EBADF' });
        return file.bytes.copy(into, 0, at);
      },
      sync: async () => {
        step('sync', 0);
        this.steps.push({ kind: 'sync', path, file });
      },
      truncate: async (bytes) => {
        step('truncate', bytes);
        file.bytes = file.bytes.subarray(0, bytes);
        this.steps.push({ kind: 'truncate', path, file, bytes });
      },
      close: async () => void (closed = true),
    };
  }
}

/** A disk whose flushes take so many turns. */
export class SlowFlushes extends RecordedFiles {
  turns = 0;
  /** Which files. */
  of: (path: string) => boolean = () => true;

  override async create(path: string): Promise<SpoolFile> {
    const file = await super.create(path);
    const sync = file.sync.bind(file);
    file.sync = async () => {
      for (let turn = 0; this.of(path) && turn < this.turns; turn++)
        await new Promise((resolve) => setImmediate(resolve));
      await sync();
    };
    return file;
  }
}

/** What may be on the disk when the power fails after the first `count` steps; files there before are on it whole. */
export function afterPowerLoss(
  initial: ReadonlyMap<string, Buffer>,
  steps: readonly Step[],
  count: number,
  draw: Random,
): Map<string, Buffer> {
  const contents = new Map<Content, { durable: Buffer; pending: Step[] }>();
  const names = new Map<string, Content>([...initial].map(([path, bytes]) => [path, { bytes }]));
  for (const file of names.values()) contents.set(file, { durable: file.bytes, pending: [] });
  const byPath = new Map(names);
  let pendingNames: Step[] = [];
  const stateOf = (step: { path: string; file: Content }): { durable: Buffer; pending: Step[] } => {
    // A file that was there before is another object in the record.
    let state = contents.get(step.file);
    if (state === undefined) {
      const old = byPath.get(step.path);
      state = old === undefined ? { durable: Buffer.alloc(0), pending: [] } : contents.get(old)!;
      contents.set(step.file, state);
    }
    return state;
  };
  for (const step of steps.slice(0, count)) {
    if (step.kind === 'syncFolder') {
      for (const one of pendingNames) rename(names, one);
      pendingNames = [];
    } else if (step.kind === 'create' || step.kind === 'remove' || step.kind === 'rename') {
      if (step.kind === 'create') contents.set(step.file, { durable: Buffer.alloc(0), pending: [] });
      else stateOf(step);
      pendingNames.push(step);
    } else if (step.kind === 'sync') {
      const state = stateOf(step);
      const file = { bytes: state.durable };
      for (const one of state.pending) redo(file, one);
      state.durable = file.bytes;
      state.pending = [];
    } else stateOf(step).pending.push(step);
  }
  for (const one of pendingNames) if (draw.chance(0.5)) rename(names, one);
  const found = new Map<string, Buffer>();
  for (const [path, file] of names) {
    const state = contents.get(file)!;
    const left = { bytes: state.durable };
    for (const one of state.pending) tear(left, one, draw);
    found.set(path, left.bytes);
  }
  return found;
}

function rename(names: Map<string, Content>, step: Step): void {
  if (step.kind === 'create') names.set(step.path, step.file);
  if (step.kind === 'remove') names.delete(step.path);
  if (step.kind === 'rename') {
    names.delete(step.path);
    names.set(step.to, step.file);
  }
}

function redo(file: Content, step: Step): void {
  if (step.kind === 'write') apply(file, step.at, step.bytes);
  if (step.kind === 'truncate') file.bytes = file.bytes.subarray(0, step.bytes);
}

/** Each block of a write is there, is not, or is there in part. */
function tear(file: Content, step: Step, draw: Random): void {
  if (step.kind === 'truncate' && draw.chance(0.5)) redo(file, step);
  if (step.kind !== 'write') return;
  const mood = draw.below(4);
  if (mood === 0) return;
  for (let at = 0; at < step.bytes.length; at += BLOCK_BYTES) {
    const block = step.bytes.subarray(at, at + BLOCK_BYTES);
    if (mood === 1 || draw.chance(0.5)) apply(file, step.at + at, block);
    else if (draw.chance(0.2)) apply(file, step.at + at, block.subarray(0, draw.below(block.length)));
  }
}

function apply(file: Content, at: number, bytes: Buffer): void {
  if (bytes.length === 0) return;
  const end = at + bytes.length;
  const grown = end > file.bytes.length ? Buffer.alloc(end) : Buffer.from(file.bytes);
  if (end > file.bytes.length) file.bytes.copy(grown);
  bytes.copy(grown, at);
  file.bytes = grown;
}
