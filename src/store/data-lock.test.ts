/** The data lock between real processes. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { HeadraceError } from '../model/index.ts';
import { acquireDataLock } from './data-lock.ts';

const root = mkdtempSync(join(tmpdir(), 'headrace-lock-'));
after(() => rmSync(root, { recursive: true }));
const module = fileURLToPath(new URL('./data-lock.ts', import.meta.url));
const program = `import { acquireDataLock } from ${JSON.stringify(module)};
  acquireDataLock(process.argv[1], { role: 'the child' });
  console.log('held');
  if (process.argv[2] !== 'once') setInterval(() => {}, 1000);`;

async function holder(dataFolder: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, dataFolder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

function isHeldBy(who: RegExp): (error: unknown) => boolean {
  return (error) =>
    error instanceof HeadraceError &&
    error.code === 'conflict' &&
    who.test(error.message) &&
    error.remedy !== undefined;
}

test('one process holds the lock; another is told its pid; kill -9 frees it', async () => {
  const dataFolder = join(root, 'killed');
  const child = await holder(dataFolder);
  const named = new RegExp(`process ${child.pid} \\(the child\\)`);
  assert.throws(() => acquireDataLock(dataFolder, { role: 'test' }), isHeldBy(named));
  child.kill('SIGKILL');
  await once(child, 'exit');

  const lock = acquireDataLock(dataFolder, { role: 'test' });
  assert.equal((JSON.parse(readFileSync(join(dataFolder, 'lock.json'), 'utf8')) as { pid: number }).pid, process.pid);
  lock.release();
});

test('a second attempt within the process is refused and does not break the first', async () => {
  const dataFolder = join(root, 'same');
  const lock = acquireDataLock(dataFolder, { role: 'first' });
  assert.throws(
    () => acquireDataLock(dataFolder, { role: 'second' }),
    isHeldBy(new RegExp(`process ${process.pid} \\(first\\)`)),
  );
  // Were the lock lost by that attempt, the child would get it.
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, dataFolder, 'once'], {
    stdio: 'ignore',
  });
  const [code] = (await once(child, 'exit')) as [number];
  assert.notEqual(code, 0);
  lock.release();
  lock.release();
  acquireDataLock(dataFolder, { role: 'third' }).release();
});

test('the data folder keeps its name; each holder has its own', () => {
  const dataFolder = join(root, 'named');
  const first = acquireDataLock(dataFolder, { role: 'first' });
  first.release();
  const second = acquireDataLock(dataFolder, { role: 'second' });
  second.release();
  assert.equal(first.node, second.node);
  assert.notEqual(first.owner, second.owner);
});

test('a stale or broken side file misleads nobody', async () => {
  const dataFolder = join(root, 'stale');
  const child = await holder(dataFolder);
  for (const text of ['{"pid": 999999999, "role": "long gone"}', 'broken', '']) {
    writeFileSync(join(dataFolder, 'lock.json'), text);
    assert.throws(() => acquireDataLock(dataFolder, { role: 'test' }), isHeldBy(/^Another process is working/));
  }
  child.kill('SIGKILL');
  await once(child, 'exit');
  acquireDataLock(dataFolder, { role: 'test' }).release();
});

test('S3: folder and files are closed to others', () => {
  const dataFolder = join(root, 'modes');
  const lock = acquireDataLock(dataFolder, { role: 'test' });
  assert.equal(statSync(dataFolder).mode & 0o777, 0o700);
  const files = readdirSync(dataFolder);
  assert.deepEqual(files.sort(), ['lock.db', 'lock.json']);
  for (const file of files) assert.equal(statSync(join(dataFolder, file)).mode & 0o777, 0o600, file);
  lock.release();
  assert.deepEqual(readdirSync(dataFolder), ['lock.db']);
});

test('a folder that cannot be made is told with a remedy', () => {
  writeFileSync(join(root, 'file'), '');
  assert.throws(
    () => acquireDataLock(join(root, 'file', 'data'), { role: 'test' }),
    (error: HeadraceError) => error.code === 'state_failed' && error.remedy?.includes('--data') === true,
  );
});
