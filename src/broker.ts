/** The local Kafka of `npm start` and of `headrace kafka start|stop`. A front door. */
import { join } from 'node:path';
import { dataFolderOf } from './config/data-folder.ts';
import { readEnvironment } from './config/environment.ts';
import { LocalKafkaError, startLocalKafka, stopLocalKafka, type RunningKafka } from './local/index.ts';
import { HeadraceError } from './model/index.ts';

/** On 127.0.0.1:9092, its data in the data folder; one that runs there already is taken over. Throws HeadraceError. */
export async function localKafka(dataFolder: string, stays: boolean): Promise<RunningKafka> {
  try {
    return await startLocalKafka({ folder: join(dataFolder, 'kafka'), stays });
  } catch (error) {
    if (!(error instanceof LocalKafkaError)) throw error;
    throw new HeadraceError('conflict', error.message, { remedy: error.remedy, cause: error });
  }
}

/** It goes on after this process. */
export async function startKafkaToStay(
  data: string | null,
): Promise<{ bootstrap: string; pid: number | null; started: boolean }> {
  const kafka = await localKafka(dataFolderOf(data, readEnvironment()), true);
  return { bootstrap: kafka.bootstrap, pid: kafka.nodes[0]?.pid ?? null, started: !kafka.adopted };
}

/** False when none was running. */
export function stopKafka(data: string | null): Promise<boolean> {
  return stopLocalKafka(join(dataFolderOf(data, readEnvironment()), 'kafka'));
}
