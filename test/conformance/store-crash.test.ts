/** The state when its process is killed with -9 in the middle of writing: nothing torn, nothing lost that was told durable. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { randomInteger } from '../../src/base/random.ts';
import { Secret } from '../../src/base/secret.ts';
import { acquireDataLock } from '../../src/store/data-lock.ts';
import { openStore } from '../../src/store/store.ts';
import { hasPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts';

const writer = fileURLToPath(new URL('../support/store-writer.ts', import.meta.url));
const ROUNDS = 8;

for (const kind of ['SQLite', 'PostgreSQL'] as const) {
  const skip = kind === 'PostgreSQL' && !hasPostgres() ? 'no PostgreSQL binaries' : false;
  describe(`a killed writer of ${kind}`, { skip }, () => {
    const dataFolder = mkdtempSync(join(tmpdir(), 'headrace-crash-'));
    let server: TestPostgres | undefined;
    let databaseUrl: string | null = null;
    before(async () => {
      if (kind === 'SQLite') return;
      server = await startPostgres({ settings: { fsync: 'on' } });
      databaseUrl = await server.createDatabase();
    });
    after(async () => {
      await server?.stop();
      rmSync(dataFolder, { recursive: true, force: true });
    });

    it('leaves checkpoint, counts and dead letters of one moment, at or after what it told', async () => {
      let told = 0;
      for (let round = 1; round <= ROUNDS; round++) {
        told = await writeUntilKilled({ dataFolder, databaseUrl }, told + randomInteger(1, 60), randomInteger(0, 5));
        const lock = acquireDataLock(dataFolder, { role: 'the test' });
        const store = await openStore({
          dataFolder,
          databaseUrl: databaseUrl === null ? null : new Secret(databaseUrl),
          lock,
        });
        const run = await store.runs.latest('crash');
        const step = run?.counts.read ?? 0;
        assert.equal(run?.state, 'interrupted');
        assert.equal(run.resumed, round - 1);
        assert.ok(step === told || step === told + 1, `told ${told}, found ${step}`);
        assert.deepEqual(run.checkpoint, { step, padding: 'x'.repeat(step % 3000) });
        assert.deepEqual([run.counts.delivered, run.counts.rejected], [step - 1, 1]);
        const positions = (await store.deadLetters.list({ run: 'crash-1', limit: 1e6 })).map(
          ({ position }) => position,
        );
        const ahead = positions.length - 2 * step;
        assert.ok(ahead === 0 || ahead === 2, `${positions.length} dead letters at step ${step}`);
        assert.equal(new Set(positions).size, positions.length);
        told = step;
        await store.close();
        lock.release();
      }
    });
  });
}

describe('a new state', () => {
  it('is made once by several processes that open it together', async () => {
    const dataFolder = mkdtempSync(join(tmpdir(), 'headrace-crash-'));
    const codes = await Promise.all(
      Array.from({ length: 3 }, async () => {
        const child = start({ dataFolder, databaseUrl: null, does: 'open' });
        return new Promise((resolve) => child.once('exit', resolve));
      }),
    );
    rmSync(dataFolder, { recursive: true, force: true });
    assert.deepEqual(codes, [0, 0, 0]);
  });
});

/** Kills the writer some milliseconds after it told `step`; answers the last step that it told. */
function writeUntilKilled(
  state: { dataFolder: string; databaseUrl: string | null },
  step: number,
  laterMs: number,
): Promise<number> {
  const child = start({ ...state, does: 'run' });
  return new Promise((resolve, reject) => {
    let text = '';
    let told = 0;
    child.stdout.setEncoding('utf8').on('data', (more: string) => {
      text += more;
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      told = Number(lines.at(-1) ?? told);
      if (told >= step) setTimeout(() => child.kill('SIGKILL'), laterMs);
    });
    child.once('close', (code) => (code === null ? resolve(told) : reject(new Error(`the writer ended with ${code}`))));
  });
}

function start(task: object): ReturnType<typeof spawn> & { stdout: NonNullable<ReturnType<typeof spawn>['stdout']> } {
  const child = spawn(process.execPath, [writer, JSON.stringify(task)], { stdio: ['ignore', 'pipe', 'inherit'] });
  return child;
}
