/** Configuration as code over the real state: plan, apply, export, load, switch on and off. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  createConfigReader,
  createObjects,
  createSealer,
  exportYaml,
  readEnvironment,
  readText,
  type Objects,
} from '../../src/config/index.ts';
import { checkMessage } from '../../src/mapping/index.ts';
import { ConfigurationError, type HeadraceError, type WrittenObject } from '../../src/model/index.ts';
import { openStore, type Store } from '../../src/store/index.ts';

const root = mkdtempSync(join(tmpdir(), 'headrace-configuration-'));
after(() => rmSync(root, { recursive: true }));
let count = 0;

const text = `
destinations:
  main: {brokers: '\${KAFKA_BROKERS:-localhost:9092}', producer: {linger_ms: 5}}
sources:
  website: {type: events, write_key: canary-key}
  lake: {type: files, path: exports}
syncs:
  tracks: {source: website, destination: main, types: [track], message: {topic: web, key: $.userId}}
  rows: {source: lake, destination: main, read: {file: a.csv}, message: {topic: rows, key: $.id}}
`;

interface State extends AsyncDisposable {
  readonly store: Store;
  readonly objects: Objects;
  readonly dataFolder: string;
}

async function open(
  dataFolder = join(root, `data-${count++}`),
  variables: Record<string, string> = {},
): Promise<State> {
  const store = await openStore({ dataFolder, databaseUrl: null });
  const { references, secretKey } = readEnvironment(variables);
  const reader = createConfigReader({ references, sealer: createSealer({ dataFolder, secretKey }), checkMessage });
  return {
    store,
    dataFolder,
    objects: createObjects(reader, store.objects),
    [Symbol.asyncDispose]: () => store.close(),
  };
}

function read(yaml: string): readonly WrittenObject[] {
  const { objects, problems } = readText({ text: yaml, name: 'test.yaml', folder: '/srv/headrace' });
  assert.deepEqual(problems, []);
  return objects;
}

test('a file is planned, applied, found unchanged, changed and pruned', async () => {
  await using state = await open();
  const { objects, store } = state;
  const summary = async (yaml: string, prune = false): Promise<string[]> =>
    (await objects.plan(read(yaml), { prune })).changes.map(({ change, name, fields }) =>
      [change, name, ...fields].join(' '),
    );

  const all = ['create main', 'create lake', 'create website', 'create rows', 'create tracks'];
  assert.deepEqual(await summary(text), all);
  assert.deepEqual(await store.objects.list(), []);
  await objects.apply(read(text), { prune: false });
  assert.deepEqual(
    await summary(text),
    all.map((line) => line.replace('create', 'unchanged')),
  );
  const generation = await store.objects.generation();
  await objects.apply(read(text), { prune: false });
  assert.equal(await store.objects.generation(), generation);

  const changed = text.replace('linger_ms: 5', 'linger_ms: 6').replace('canary-key', 'canary-other');
  assert.deepEqual(
    (await summary(changed)).filter((line) => line.startsWith('update')),
    ['update main producer.linger_ms', 'update website write_key'],
  );
  const fewer = changed.replace(/ {2}rows:.*\n/, '').replace(/ {2}lake:.*\n/, '');
  await objects.apply(read(fewer), { prune: false });
  assert.equal((await store.objects.list()).length, 5);
  assert.deepEqual(
    (await summary(fewer, true)).filter((line) => line.startsWith('delete')),
    ['delete lake', 'delete rows'],
  );
  await objects.apply(read(fewer), { prune: true });
  assert.deepEqual((await objects.load()).syncs.keys().toArray(), ['tracks']);
  assert.deepEqual((await objects.load()).sources.keys().toArray(), ['website']);
});

test('Promise 8: the state holds no secret in plain, and an export goes back in without one', async () => {
  await using state = await open();
  const { objects, dataFolder } = state;
  await objects.plan(read(text), { prune: false });
  assert.equal(existsSync(join(dataFolder, 'secret.key')), false);
  await objects.apply(read(text), { prune: false });
  for (const file of readdirSync(dataFolder)) {
    assert.equal(readFileSync(join(dataFolder, file)).includes('canary'), false, file);
  }
  const yaml = exportYaml(await objects.export());
  assert.doesNotMatch(yaml, /canary/);
  assert.match(yaml, /\$\{KAFKA_BROKERS:-localhost:9092\}/);
  assert.match(yaml, /path: \/srv\/headrace\/exports/);
  const { changes } = await objects.plan(read(yaml), { prune: true });
  assert.deepEqual([...new Set(changes.map(({ change }) => change))], ['unchanged']);
  await objects.apply(read(yaml), { prune: true });
  const source = (await objects.load()).sources.get('website');
  assert.equal(source?.type === 'events' && source.writeKey.reveal(), 'canary-key');

  await using elsewhere = await open();
  const refused = await elsewhere.objects.plan(read(yaml), { prune: false });
  assert.deepEqual(
    refused.problems.map(({ path }) => path),
    ['sources.website.write_key'],
  );
});

test('a refused file stores nothing', async () => {
  await using state = await open();
  const bad = text.replace('destination: main, types', 'destination: nowhere, types');
  assert.equal((await state.objects.plan(read(bad), { prune: false })).problems.length, 1);
  await assert.rejects(
    state.objects.apply(read(bad), { prune: false }),
    (error: ConfigurationError) =>
      error instanceof ConfigurationError && error.problems[0]?.path === 'syncs.tracks.destination',
  );
  assert.deepEqual(await state.store.objects.list(), []);
});

test('a change that breaks what is stored is refused; what was broken before does not hold up another change', async () => {
  const dataFolder = join(root, `data-${count++}`);
  const withKey = text.replace('canary-key', "'${WEB_KEY}'");
  await using first = await open(dataFolder, { WEB_KEY: 'k' });
  await first.objects.apply(read(withKey), { prune: false });
  // A stored sync reads files of this source.
  const breaking = 'sources: {lake: {type: events, write_key: x}}';
  assert.deepEqual(
    (await first.objects.plan(read(breaking), { prune: false })).problems.map(({ path }) => path),
    ['syncs.rows.read'],
  );
  await first.store.close();

  await using later = await open(dataFolder);
  const configuration = await later.objects.load();
  assert.deepEqual([...configuration.syncs.keys()], ['rows']);
  assert.deepEqual(
    configuration.problems?.map(({ path }) => path),
    ['sources.website.write_key'],
  );
  // The broken object itself is refused as long as it is broken.
  assert.deepEqual(
    (await later.objects.plan(read(withKey), { prune: false })).problems.map(({ path }) => path),
    ['sources.website.write_key'],
  );
  const other = 'destinations: {main: {brokers: other}}';
  await later.objects.apply(read(other), { prune: false });
  assert.deepEqual((await later.objects.load()).destinations.get('main')?.brokers, [{ host: 'other', port: 9092 }]);
});

test('objects laid over what is stored are used for one question and not stored', async () => {
  await using state = await open();
  await state.objects.apply(read(text), { prune: false });
  const over = read('syncs: {more: {source: website, destination: main, message: {topic: more}}}');
  assert.deepEqual([...(await state.objects.load(over)).syncs.keys()], ['more', 'rows', 'tracks']);
  assert.deepEqual([...(await state.objects.load()).syncs.keys()], ['rows', 'tracks']);
  await assert.rejects(
    state.objects.load(read('syncs: {more: {source: nobody, destination: main}}')),
    ConfigurationError,
  );
});

test('every object of a name is switched off and on', async () => {
  await using state = await open();
  await state.objects.apply(read(`${text}  website: {source: website, destination: main, message: {topic: w}}\n`), {
    prune: false,
  });
  await state.objects.setEnabled('website', false);
  const off = await state.objects.load();
  assert.deepEqual([off.sources.get('website')?.enabled, off.syncs.get('website')?.enabled], [false, false]);
  assert.equal(off.syncs.get('tracks')?.enabled, true);
  await state.objects.setEnabled('website', true);
  assert.equal((await state.objects.load()).sources.get('website')?.enabled, true);
  await assert.rejects(
    state.objects.setEnabled('webste', true),
    (error: HeadraceError) => error.code === 'not_found' && error.remedy === 'Did you mean website?',
  );
});

test('a lost key is told for each secret, and applying the secret again mends it', async () => {
  const dataFolder = join(root, `data-${count++}`);
  await using first = await open(dataFolder, { HEADRACE_SECRET_KEY: 'first key of sixteen' });
  await first.objects.apply(read(text), { prune: false });
  await first.store.close();
  await using later = await open(dataFolder, { HEADRACE_SECRET_KEY: 'other key of sixteen' });
  const { problems } = await later.objects.load();
  assert.deepEqual(
    problems?.map(({ path, code }) => `${path} ${code}`),
    ['sources.website.write_key config_unresolved'],
  );
  await later.objects.apply(read(text), { prune: false });
  assert.deepEqual((await later.objects.load()).problems, []);
});
