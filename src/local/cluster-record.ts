/** `kafka.pid.json`: which processes serve a folder, so that whoever comes next can take them over or end them. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LocalKafkaError } from './errors.ts';
import { endProcess, isAlive, recordOf, type ProcessRecord } from './processes.ts';
import type { NodePorts } from './properties.ts';

export interface RecordedNode extends NodePorts {
  /** Null while the broker does not run. */
  readonly process: ProcessRecord | null;
}

export interface ClusterRecord {
  readonly version: string;
  /** The process that started it. */
  readonly owner: ProcessRecord;
  /** It is meant to outlive the one who started it. */
  readonly stays: boolean;
  readonly nodes: readonly RecordedNode[];
}

const pathOf = (folder: string): string => join(folder, 'kafka.pid.json');

/** Null when there is none, or none that can be read. */
export function readRecord(folder: string): ClusterRecord | null {
  if (!existsSync(pathOf(folder))) return null;
  try {
    return JSON.parse(readFileSync(pathOf(folder), 'utf8')) as ClusterRecord;
  } catch {
    return null;
  }
}

export function writeRecord(folder: string, record: ClusterRecord): void {
  const next = `${pathOf(folder)}.${process.pid}`;
  writeFileSync(next, `${JSON.stringify(record, null, 2)}\n`);
  renameSync(next, pathOf(folder));
}

export function removeRecord(folder: string): void {
  rmSync(pathOf(folder), { force: true });
}

/** This process, as an owner. */
export function self(): ProcessRecord {
  return recordOf(process.pid) ?? { pid: process.pid, identity: '' };
}

/**
 * Takes the folder for this process. Of two that start at once the second is refused:
 * 1. both find no record; 2. one creates it, which only one can; 3. the other finds a living owner and no broker yet.
 */
export function claimFolder(folder: string, version: string, stays: boolean): ClusterRecord {
  mkdirSync(folder, { recursive: true });
  const claim: ClusterRecord = { version, owner: self(), stays, nodes: [] };
  for (;;) {
    try {
      writeFileSync(pathOf(folder), `${JSON.stringify(claim)}\n`, { flag: 'wx' });
      return claim;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const other = readRecord(folder);
    if (other !== null && isAlive(other.owner) && other.nodes.length === 0)
      throw new LocalKafkaError(
        'already_starting',
        `Process ${other.owner.pid} is starting Kafka in ${folder}.`,
        'Wait for it, or stop that process.',
      );
    removeRecord(folder);
  }
}

/** Ends every broker that the folder's record names and that still runs; says how many. */
export async function endRecorded(folder: string, graceMs = 15_000): Promise<number> {
  const record = readRecord(folder);
  const running = (record?.nodes ?? []).map((node) => node.process).filter((it) => it !== null && isAlive(it));
  // One after the other while there is a majority to hand leadership to; the last ones have nobody to wait for.
  for (const [index, process] of running.entries())
    if (process) await endProcess(process, index === 0 || running.length === 1 ? graceMs : Math.min(graceMs, 2000));
  if (record !== null) removeRecord(folder);
  return running.length;
}
