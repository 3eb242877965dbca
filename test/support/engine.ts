/** The running part of Headrace in the test's own process: a configuration as YAML would give it, real state, real Kafka. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { createConfigReader } from '../../src/config/reader.ts';
import { createSealer } from '../../src/config/seal.ts';
import { checkMessage, checkTrigger, presets } from '../../src/mapping/index.ts';
import type { Configuration, JsonObject, RunFacts } from '../../src/model/index.ts';
import { openFiles } from '../../src/sources/tables/index.ts';
import { acquireDataLock } from '../../src/store/data-lock.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { Syncs, type SyncObserver } from '../../src/syncs/index.ts';

export interface Engine {
  readonly folder: string;
  readonly syncs: Syncs;
  readonly store: Store;
  /** What was held or warned, in order. */
  readonly told: string[];
  /** Writes a file into the folder that the source `files` reads. */
  write(name: string, content: string): void;
  apply(configuration: object): Configuration;
  run(sync: string): Promise<RunFacts>;
}

/** Ends with the test. `spool`: events wait on the disk while Kafka cannot take them. `destinations.main` and `sources.files` are there already unless the configuration says otherwise. */
export async function engine(
  test: TestContext,
  bootstrap: string,
  { spool = false }: { readonly spool?: boolean } = {},
): Promise<Engine> {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-engine-'));
  const data = join(folder, 'data');
  const files = join(folder, 'files');
  mkdirSync(files);
  const lock = acquireDataLock(data, { role: 'test' });
  const store = await openStore({ dataFolder: data, databaseUrl: null, lock });
  const told: string[] = [];
  const observer: SyncObserver = {
    attempted: () => undefined,
    settled: () => undefined,
    eventsSettled: () => undefined,
    held: (sync, reason) => void told.push(`${sync}: ${reason}`),
    runStarted: () => undefined,
    runEnded: () => undefined,
    warned: (message) => void told.push(message),
  };
  const syncs = new Syncs({
    runs: store.runs,
    deadLetters: store.deadLetters,
    observer,
    clock: systemClock,
    openFiles,
    ...(spool ? { spoolFolder: join(data, 'spool') } : {}),
  });
  const reader = createConfigReader({
    references: { variable: () => undefined, variableNames: () => [] },
    sealer: createSealer({ dataFolder: data, secretKey: null }),
    checkMessage,
    checkTrigger,
    presets,
  });
  test.after(async () => {
    await syncs.drain();
    await syncs.close(1_000);
    await store.close();
    lock.release();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    folder: files,
    syncs,
    store,
    told,
    write: (name, content) => writeFileSync(join(files, name), content),
    apply(configuration) {
      const whole = {
        destinations: { main: { brokers: bootstrap } },
        sources: { files: { type: 'files', path: files } },
        ...configuration,
      };
      const kinds = { destinations: 'destination', sources: 'source', syncs: 'sync' } as const;
      const objects = Object.entries(whole).flatMap(([section, of]) =>
        Object.entries(of).map(([name, body]) => ({
          kind: kinds[section as keyof typeof kinds],
          name,
          body: body as JsonObject,
        })),
      );
      const checked = reader.check(objects);
      if (checked.problems.length > 0) throw new Error(JSON.stringify(checked.problems));
      syncs.apply(checked.configuration);
      return checked.configuration;
    },
    async run(sync) {
      return (await syncs.runs.start(sync, 'manual')).ended;
    },
  };
}
