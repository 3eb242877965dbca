/** Where tests keep their brokers' data, and how those of killed test processes are cleared away. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { endRecorded, readRecord } from '../../src/local/cluster-record.ts';
import { isAlive } from '../../src/local/processes.ts';

const root = join(import.meta.dirname, '..', '..', '.cache', 'test');

export function newKafkaFolder(): string {
  mkdirSync(root, { recursive: true });
  return mkdtempSync(join(root, 'kafka-'));
}

/** Ends brokers, and removes data, whose test process was killed before it could. */
export async function clearAbandoned(): Promise<void> {
  mkdirSync(root, { recursive: true });
  for (const name of readdirSync(root).filter((entry) => entry.startsWith('kafka-'))) {
    const folder = join(root, name);
    const record = readRecord(folder);
    if (record === null || isAlive(record.owner)) continue;
    await endRecorded(folder, 0);
    rmSync(folder, { recursive: true, force: true });
  }
}
