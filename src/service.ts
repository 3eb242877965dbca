/** The service of one data folder in this process: state, configuration and syncs put together. A front door. */
import packageFacts from '../package.json' with { type: 'json' };
import { Service } from './api/service.ts';
import { allowAddresses } from './base/address-guard.ts';
import { systemClock } from './base/clock.ts';
import { createConfigReader, createObjects, createSealer, type Environment } from './config/index.ts';
import { checkMessage, checkTrigger, lintSync, presets } from './mapping/index.ts';
import type { Problem, WrittenObject } from './model/index.ts';
import { openFiles } from './sources/tables/index.ts';
import { openStore, type DataLock } from './store/index.ts';
import { Syncs, type SyncObserver } from './syncs/index.ts';

export const version: string = packageFacts.version;

export interface ServiceOptions {
  readonly environment: Environment;
  /** Absolute. */
  readonly dataFolder: string;
  /** Where the SQLite file is, if not in the data folder. */
  readonly stateFolder?: string;
  /** Where events wait while Kafka cannot take them; absent: nowhere. */
  readonly spoolFolder?: string;
  /** Null: only looks; runs that a dead process left stay as they are. */
  readonly lock: DataLock | null;
  readonly observer: SyncObserver;
  /** Laid over what is stored. */
  readonly over?: readonly WrittenObject[];
}

export interface OpenedService {
  readonly service: Service;
  readonly syncs: Syncs;
  /** Stored objects that cannot be used: the rest works without them. */
  readonly problems: () => readonly Problem[];
  /** Closes destinations and state at once; what is to be delivered before is the caller's to wait for. */
  close(): Promise<void>;
}

/** Throws HeadraceError. The lock stays the caller's. */
export async function openService(options: ServiceOptions): Promise<OpenedService> {
  const { environment, dataFolder, lock, observer } = options;
  const clock = systemClock;
  // S19: before anything is dialled.
  allowAddresses(environment.allowedAddresses);
  const store = await openStore({
    dataFolder: options.stateFolder ?? dataFolder,
    databaseUrl: environment.databaseUrl,
    ...(lock === null ? {} : { lock }),
  });
  try {
    const sealer = createSealer({ dataFolder, secretKey: environment.secretKey });
    const reader = createConfigReader({
      references: environment.references,
      sealer,
      checkMessage,
      checkTrigger,
      lintSync,
      presets,
    });
    const objects = createObjects(reader, store.objects);
    const spool = options.spoolFolder === undefined ? {} : { spoolFolder: options.spoolFolder };
    const tools = { runs: store.runs, deadLetters: store.deadLetters, observer, clock, openFiles };
    const syncs = new Syncs({ ...tools, ...spool });
    const service = new Service({ ...tools, objects, syncs, version });
    await service.load(options.over);
    return {
      service,
      syncs,
      problems: () => syncs.configuration.problems ?? [],
      async close() {
        await syncs.close(0);
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}
