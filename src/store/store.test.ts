/** What is particular to each home of the state; what both must do is in `test/conformance/store.test.ts`. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { inspect } from 'node:util';
import { Secret } from '../base/secret.ts';
import { HeadraceError } from '../model/index.ts';
import { openStore } from './store.ts';

const root = mkdtempSync(join(tmpdir(), 'headrace-state-'));
after(() => rmSync(root, { recursive: true }));
let count = 0;

function fresh(): { dataFolder: string; databaseUrl: null } {
  return { dataFolder: join(root, `data-${count++}`), databaseUrl: null };
}

async function failure(opening: Promise<unknown>): Promise<HeadraceError> {
  const error: unknown = await opening.then(
    () => assert.fail('it opened'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof HeadraceError, inspect(error));
  assert.ok(error.remedy !== undefined && error.remedy !== '');
  return error;
}

test('S3: SQLite keeps all its files closed to others', async () => {
  const options = fresh();
  const store = await openStore(options);
  await store.meta.set('k', 'v');
  const files = readdirSync(options.dataFolder).sort();
  assert.deepEqual(files, ['headrace.db', 'headrace.db-shm', 'headrace.db-wal']);
  for (const file of files) assert.equal(statSync(join(options.dataFolder, file)).mode & 0o777, 0o600, file);
  assert.equal(statSync(options.dataFolder).mode & 0o777, 0o700);
  assert.deepEqual([store.kind, store.place], ['sqlite', join(options.dataFolder, 'headrace.db')]);
  await store.close();
  assert.deepEqual(readdirSync(options.dataFolder), ['headrace.db']);
});

test('a state of a newer version is refused, and left as it is', async () => {
  const options = fresh();
  await (await openStore(options)).close();
  const database = new DatabaseSync(join(options.dataFolder, 'headrace.db'));
  database.exec("insert into kysely_migration (name, timestamp) values ('999-later', '2030-01-01')");
  database.close();
  const error = await failure(openStore(options));
  assert.match(error.message, /newer version/);
  assert.equal(error.code, 'state_failed');
});

test('a file that is no database is told', async () => {
  const options = fresh();
  await (await openStore(options)).close();
  writeFileSync(
    join(options.dataFolder, 'headrace.db'),
    'this is not a database, and long enough to be looked at'.repeat(99),
  );
  const error = await failure(openStore(options));
  assert.match(error.message, /not a database/);
  assert.match(error.remedy!, /backup/);
});

test('Promise 8: no failure of PostgreSQL shows the password', async () => {
  const { dataFolder } = fresh();
  const probe = createServer((socket) => socket.resume().end('this is no PostgreSQL'));
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  const urls: [string, RegExp][] = [
    ['mysql://u:canary@h/d', /scheme is mysql:/],
    ['canary', /no URL|not a URL/],
    ['postgres://u:canary@127.0.0.1:1/d', /PostgreSQL at 127\.0\.0\.1:1\/d.*ECONNREFUSED/],
    [`postgres://u:canary@127.0.0.1:${port}/d`, new RegExp(`PostgreSQL at 127.0.0.1:${port}/d`)],
    ['postgres://u:canary@no-such-host.invalid/d', /no-such-host\.invalid/],
  ];
  for (const [url, message] of urls) {
    const error = await failure(openStore({ dataFolder, databaseUrl: new Secret(url) }));
    assert.match(error.message, message);
    assert.doesNotMatch(inspect(error, { depth: 9 }), /canary/, url);
  }
  await new Promise((resolve) => probe.close(resolve));
});
