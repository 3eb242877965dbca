/** A child process that writes to a state until it is killed. Started with the options as JSON; tells what is durable. */
import { Secret } from '../../src/base/secret.ts';
import { emptyCounts, type DeadLetter } from '../../src/model/index.ts';
import { acquireDataLock } from '../../src/store/data-lock.ts';
import { openStore } from '../../src/store/store.ts';

interface Task {
  readonly dataFolder: string;
  readonly databaseUrl: string | null;
  /** `open`: opens, says so and ends. `run`: checkpoints and dead letters without end. */
  readonly does: 'open' | 'run';
}

const task = JSON.parse(process.argv[2] ?? '') as Task;
const databaseUrl = task.databaseUrl === null ? null : new Secret(task.databaseUrl);
if (task.does === 'open') {
  const store = await openStore({ dataFolder: task.dataFolder, databaseUrl });
  await store.close();
} else {
  const lock = acquireDataLock(task.dataFolder, { role: 'store writer' });
  const store = await openStore({ dataFolder: task.dataFolder, databaseUrl, lock });
  const last = await store.runs.latest('crash');
  const begun =
    last === null
      ? await store.runs.create({ id: 'crash-1', sync: 'crash', cause: 'manual', startedAt: new Date().toISOString() })
      : await store.runs.resume(last.id);
  for (let step = begun.counts.read + 1; ; step++) {
    await store.deadLetters.add([letter(step, 'a'), letter(step, 'b')]);
    const counts = { ...emptyCounts(), read: step, delivered: step - 1, rejected: 1 };
    await store.runs.saveCheckpoint(begun.id, { step, padding: 'x'.repeat(step % 3000) }, counts);
    process.stdout.write(`${step}\n`);
  }
}

function letter(step: number, half: string): DeadLetter {
  const nothing = { topic: null, partition: null, key: null, value: null, headers: [], timestampMs: null };
  const reason = 'made to be rejected';
  const position = `crash:${step}${half}`;
  return { sync: 'crash', run: 'crash-1', code: 'row_invalid', reason, field: null, position, raw: null, ...nothing };
}
