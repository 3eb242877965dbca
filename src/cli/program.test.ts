/** Commands before a service that holds nothing: what they ask, what they print, which exit code they give. */
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fakeService, progress, runFacts, startedAt } from '../../test/support/fake-service.ts';
import type { HeadraceService, PreviewLine } from '../api/contract/service.ts';
import { ConfigurationError, HeadraceError } from '../model/index.ts';
import type { Doors, Target } from './doors.ts';
import { runCommandLine } from './program.ts';

interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly targets: readonly Target[];
}

const object = { kind: 'sync', name: 'orders', body: {} } as const;

/** Runs `headrace <args>` with doors that open onto the given service. */
async function headrace(
  args: string,
  service: Partial<HeadraceService> = {},
  terminal = false,
  server: string | null = null,
): Promise<Said> {
  const out = { stdout: '', stderr: '' };
  const targets: Target[] = [];
  const stream = (name: 'stdout' | 'stderr'): { write: (text: string) => void; isTTY: boolean } => ({
    write: (text) => void (out[name] += text),
    isTTY: terminal,
  });
  const doors: Doors = {
    open(target) {
      targets.push(target);
      return Promise.resolve({ service: fakeService(service), server, close: () => Promise.resolve() });
    },
    readConfiguration: (path) =>
      Promise.resolve({
        objects: [object],
        locate: (problems) => problems.map((problem) => ({ ...problem, place: `${path}:3:5` })),
      }),
    exported: (objects) => Promise.resolve({ yaml: `yaml of ${objects.length}\n`, json: {} }),
    schema: () => Promise.resolve({ type: 'object' }),
    explain: (trigger) => Promise.resolve({ passed: false, text: `explained ${trigger}`, json: { passed: false } }),
    start: (options) => Promise.resolve(options.port === 1 ? 1 : 0),
    demo: () => Promise.resolve(0),
    startKafka: () => Promise.resolve({ bootstrap: '127.0.0.1:9092', pid: 42, started: true }),
    stopKafka: () => Promise.resolve(false),
    interruption: () => new AbortController().signal,
  };
  const streams = { stdout: stream('stdout'), stderr: stream('stderr'), colour: false };
  const words = (args.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', ''));
  const code = await runCommandLine(words, { doors, streams, version: '1.2.3' });
  return { code, ...out, targets };
}

const delivered: PreviewLine = {
  passed: true,
  message: {
    topic: 'orders',
    partition: 2,
    key: '7',
    headers: [['country', 'DE']],
    timestamp: 1767322800000,
    value: '{"id":7}',
  },
  reason: null,
  position: 'orders.csv:2',
  partitionBy: 'key',
  bytes: 8,
  lints: ['the key is empty'],
};
const rejected: PreviewLine = {
  ...delivered,
  message: null,
  reason: 'mapping_failed: no topic',
  partitionBy: null,
  bytes: null,
};

test('a mistyped verb or option is wrong usage, with the right name', async () => {
  const verb = await headrace('aply -f x.yaml');
  assert.equal(verb.code, 64);
  assert.match(verb.stderr, /Did you mean apply\?/);
  const option = await headrace('start --prot 1');
  assert.equal(option.code, 64);
  assert.match(option.stderr, /Did you mean --port\?/);
  assert.equal((await headrace('run')).code, 64);
  assert.equal((await headrace('start --port http')).code, 64);
  assert.equal((await headrace('preview orders --limit 0')).code, 64);
  assert.equal(verb.stdout + option.stdout, '');
});

test('help goes to standard output and is no error; without a verb it is wrong usage', async () => {
  const help = await headrace('--help');
  assert.equal(help.code, 0);
  assert.match(help.stdout, /Exit codes: 0 done/);
  const bare = await headrace('');
  assert.equal(bare.code, 64);
  assert.equal((await headrace('--version')).stdout, '1.2.3\n');
});

test('every verb has help with examples', async () => {
  const { stdout } = await headrace('--help');
  const verbs = [...stdout.split('Commands:')[1]!.matchAll(/^ {2}([a-z][a-z-]+) /gm)].map(([, verb]) => verb!);
  assert.ok(verbs.length >= 18, verbs.join(' '));
  for (const verb of verbs.filter((one) => !['kafka', 'seed', 'airbyte'].includes(one))) {
    const help = await headrace(`${verb} --help`);
    assert.equal(help.code, 0, verb);
    assert.match(help.stdout, /Examples:\n {2}\$ headrace /, verb);
  }
});

test('run prints one object for programs, and its exit code tells the end', async () => {
  const ending = async (run: ReturnType<typeof runFacts>): Promise<Said> =>
    headrace('run orders --json', {
      async *run() {
        yield progress(runFacts('running', { read: 1 }), 10);
        yield await Promise.resolve(progress(run, 1000));
      },
    });
  const done = await ending(runFacts('succeeded', { read: 3, delivered: 3 }));
  assert.equal(done.code, 0);
  assert.deepEqual(JSON.parse(done.stdout), {
    state: 'succeeded',
    read: 3,
    delivered: 3,
    rejected: 0,
    filtered: 0,
    unchanged: 0,
    ignored: 0,
    departed: 0,
    created: 3,
    updated: 0,
    deleted: 0,
    id: 'run-1',
    sync: 'orders',
    cause: 'manual',
    startedAt,
    endedAt: '2026-01-02T03:04:07.678Z',
    resumed: 0,
    error: null,
  });
  assert.equal((await ending(runFacts('succeeded', { read: 3, delivered: 2, rejected: 1 }))).code, 2);
  for (const state of ['failed', 'cancelled', 'stopped_by_guard'] as const)
    assert.equal((await ending(runFacts(state))).code, 1, state);
});

test('run with a file applies it first, and takes the lock', async () => {
  const calls: string[] = [];
  const { targets, stderr } = await headrace('run orders --config f.yaml', {
    apply(objects, { prune }) {
      calls.push(`apply ${objects.length} ${prune}`);
      return Promise.resolve({ changes: [], problems: [], warnings: ['acks is 1'] });
    },
    async *run(sync, cause) {
      calls.push(`run ${sync} ${cause}`);
      yield await Promise.resolve(progress(runFacts('succeeded'), 1000));
    },
  });
  assert.deepEqual(calls, ['apply 1 false', 'run orders manual']);
  assert.deepEqual(
    targets.map(({ use, role }) => [use, role]),
    [['work', 'run orders']],
  );
  assert.match(stderr, /warning: acks is 1/);
});

test('on a terminal progress is a bar that leaves nothing behind', async () => {
  const { stderr } = await headrace(
    'run orders',
    {
      async *run() {
        yield progress(runFacts('running', { read: 1234, delivered: 1000 }), 500);
        yield await Promise.resolve(progress(runFacts('succeeded', { read: 2000, delivered: 2000 }), 1000));
      },
    },
    true,
  );
  assert.match(stderr, /\[#{12}-{12}\] {2}50 % 1,234 read, 1,000 delivered, 50\/s/);
  assert.ok(stderr.endsWith('\r\x1b[2K'));
});

test('preview prints a line of JSON for each record; a rejected one gives exit code 2', async () => {
  const said = await headrace('preview orders --json --limit 2', {
    preview: (sync, options) => {
      assert.deepEqual([sync, options], ['orders', { limit: 2, record: undefined, at: null, run: null }]);
      return Promise.resolve([delivered, rejected]);
    },
  });
  assert.equal(said.code, 2);
  const lines = said.stdout.trimEnd().split('\n');
  assert.deepEqual(JSON.parse(lines[0]!), JSON.parse(JSON.stringify(delivered)));
  assert.equal(JSON.parse(lines[1]!).message, null);
});

test('preview for people names partition and rule, key, headers, value and notes', async () => {
  const { stdout, code } = await headrace('preview orders', { preview: () => Promise.resolve([delivered]) });
  assert.equal(code, 0);
  assert.equal(
    stdout,
    `orders.csv:2 -> orders, partition 2 (by key)
  key       7
  header    country: DE
  timestamp 1767322800000 (2026-01-02T03:00:00.000Z)
  value     {"id":7}
  note the key is empty
`,
  );
});

test('preview takes a record from a file, digits kept', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'headrace-')), 'record.json');
  writeFileSync(file, '{"price": 1.10}');
  let seen = '';
  await headrace(`preview orders --record ${file} --at 2026-01-01T00:00:00Z --run r1`, {
    preview(_sync, options) {
      seen = JSON.stringify(options);
      return Promise.resolve([delivered]);
    },
  });
  assert.equal(
    seen,
    '{"limit":10,"record":{"price":1.10},"recordText":"{\\"price\\": 1.10}","at":"2026-01-01T00:00:00Z","run":"r1"}',
  );
  writeFileSync(file, '{');
  const broken = await headrace(`preview orders --record ${file}`);
  assert.equal(broken.code, 1);
  assert.match(broken.stderr, /is no JSON/);
});

test('preview, check, topics and tail lay a file over what is stored', async () => {
  const seen: string[] = [];
  const note = (what: string, over: unknown): void => void seen.push(`${what} ${JSON.stringify(over)}`);
  const service: Partial<HeadraceService> = {
    preview: (_sync, { over }) => (note('preview', over), Promise.resolve([])),
    check: (destination, over) => {
      note('check', over);
      return Promise.resolve({ destination, ok: true, steps: [], warnings: [], tookMs: 1 });
    },
    topics: (_destination, over) => (note('topics', over), Promise.resolve([])),
    tail(_topic, { over }) {
      note('tail', over);
      return fakeService().tail('', { destination: null, fromStart: false }, new AbortController().signal);
    },
  };
  for (const verb of ['preview', 'check', 'topics', 'tail']) await headrace(`${verb} x --config f.yaml`, service);
  const over = JSON.stringify([object]);
  assert.deepEqual(seen, [`preview ${over}`, `check ${over}`, `topics ${over}`, `tail ${over}`]);
});

test('a failed check names step, cause and remedy, and exits 1', async () => {
  const said = await headrace('check main', {
    check: (destination) =>
      Promise.resolve({
        destination,
        ok: false,
        steps: [
          { step: 'settings', state: 'ok', detail: 'fine', cause: null, remedy: null, tookMs: 0 },
          {
            step: 'tcp',
            state: 'failed',
            detail: 'refused',
            cause: 'refused',
            remedy: 'Start it.',
            link: 'docs/x.md#tcp',
            tookMs: 2,
          },
          { step: 'versions', state: 'skipped', detail: 'not reached', cause: null, remedy: null, tookMs: 0 },
        ],
        warnings: ['One broker.'],
        tookMs: 12,
      }),
  });
  assert.equal(said.code, 1);
  assert.match(
    said.stdout,
    /^✓ settings {2}fine\n✗ tcp {7}refused\n {12}Start it\.\n {12}see docs\/x\.md#tcp\n– versions {2}not reached\n/,
  );
  assert.match(said.stdout, /! warning {3}One broker\.\nConnection Failed \(12 ms\)\n$/);
});

test('apply shows the plan; with problems it stores nothing and exits 1', async () => {
  const changes = [
    { kind: 'sync', name: 'orders', change: 'update', fields: ['message.topic'] },
    { kind: 'source', name: 'shop', change: 'unchanged', fields: [] },
  ] as const;
  const fine = await headrace('apply -f f.yaml', {
    plan: () => Promise.resolve({ changes, problems: [], warnings: [] }),
    apply: () => Promise.resolve({ changes, problems: [], warnings: [] }),
  });
  assert.equal(fine.stdout, '~ sync orders (update message.topic)\n  source shop (unchanged)\nOne change applied.\n');
  let applied = false;
  const problems = [{ path: 'syncs.orders.source', reason: 'is missing.', remedy: 'Add it.' }];
  const wrong = await headrace('apply -f f.yaml', {
    plan: () => Promise.resolve({ changes: [], problems, warnings: [] }),
    apply() {
      applied = true;
      return Promise.resolve({ changes: [], problems: [], warnings: [] });
    },
  });
  assert.equal(wrong.code, 1);
  assert.equal(applied, false);
  assert.equal(wrong.stderr, 'error: f.yaml:3:5: syncs.orders.source: is missing. Add it.\n');
  const dry = await headrace('apply -f f.yaml --dry-run', {
    plan: () => Promise.resolve({ changes, problems: [], warnings: [] }),
    apply: () => Promise.reject(new Error('must not be called')),
  });
  assert.match(dry.stdout, /nothing applied\.\n$/);
  assert.equal(dry.targets[0]?.use, 'look');
});

test('what warns of a name that is not known is told beside what is missing', async () => {
  const problems = [{ path: 'destinations.main.brokers', reason: 'is missing.', remedy: 'Add it.' }];
  const { stderr } = await headrace('apply -f f.yaml', {
    plan: () => Promise.resolve({ changes: [], problems, warnings: ['kafka: bootstrap.server is not known'] }),
  });
  assert.match(stderr, /warning: .*bootstrap\.server is not known\nerror: .*brokers: is missing/);
});

test('a reference that a running server cannot read says whose environment counts', async () => {
  const unset = { path: 'sources.web.write_key', reason: 'reads KEY, which is not set.', remedy: 'Set it.' };
  const problems = [{ ...unset, code: 'config_unresolved' }] as const;
  const plan = (): ReturnType<HeadraceService['plan']> => Promise.resolve({ changes: [], problems, warnings: [] });
  const check = (): Promise<never> => Promise.reject(new ConfigurationError(problems));
  const address = 'http://127.0.0.1:8080';
  assert.match((await headrace('apply -f f.yaml', { plan }, false, address)).stderr, /server at http:.*environment/);
  assert.match((await headrace('check main', { check }, false, address)).stderr, /server at http:.*environment/);
  assert.doesNotMatch((await headrace('check main', { check })).stderr, /server at/);
});

test('a run that a server does says why it waits, once, and when it goes on', async () => {
  const waiting = (waits: string | null): ReturnType<typeof progress> => ({
    ...progress(runFacts('running'), 10),
    waits,
  });
  const service: Partial<HeadraceService> = {
    async *run() {
      yield waiting('nothing listens there');
      yield waiting('nothing listens there');
      yield waiting(null);
      yield await Promise.resolve(progress(runFacts('succeeded'), 1000));
    },
  };
  const { stderr } = await headrace('run orders', service, false, 'http://127.0.0.1:8080');
  assert.match(stderr, /^warning: The sync orders waits: nothing listens there\nThe sync orders goes on\.\n$/);
  assert.equal((await headrace('run orders', service)).stderr, '');
});

test('tail prints each message as it is; --limit ends it', async () => {
  const message = (offset: string, value: string | null) => ({
    topic: 'orders',
    partition: 1,
    offset,
    timestamp: 1767322800000,
    key: null,
    headers: [['a', 'b']] as const,
    value,
  });
  const service: Partial<HeadraceService> = {
    async *tail() {
      yield message('5', 'one\u001b[31m\n');
      yield await Promise.resolve(message('6', null));
      yield message('7', 'three');
    },
  };
  const { stdout, code } = await headrace('tail orders --limit 2', service);
  assert.equal(code, 0);
  assert.equal(
    stdout,
    `orders/1@5  2026-01-02T03:00:00.000Z  key=null  a=b
  one\\u001b[31m\\n
orders/1@6  2026-01-02T03:00:00.000Z  key=null  a=b
  null (a tombstone)
`,
  );
  const json = await headrace('tail orders --json', service);
  assert.equal(json.stdout.trimEnd().split('\n').length, 3);
});

test('errors go to standard error with their remedy, several problems each in a line', async () => {
  const refused = new HeadraceError('not_found', 'There is no sync x.', { remedy: 'Did you mean y?' });
  const one = await headrace('reset x', { reset: () => Promise.reject(refused) });
  assert.deepEqual([one.code, one.stdout], [1, '']);
  assert.equal(one.stderr, 'error: There is no sync x.\n  Did you mean y?\n');
  const several = new ConfigurationError([
    { path: 'a', reason: 'is wrong.', remedy: 'Mend it.' },
    { path: 'b', reason: 'is wrong too.', remedy: 'Mend it as well.' },
  ]);
  const two = await headrace('reset x', { reset: () => Promise.reject(several) });
  assert.equal(two.stderr, 'error: a: is wrong. Mend it.\nerror: b: is wrong too. Mend it as well.\n');
});

test('what does not exist yet says so and exits 1', async () => {
  for (const args of ['seed orders', 'airbyte spec', 'airbyte write --config a --catalog b']) {
    const said = await headrace(args);
    assert.equal(said.code, 1, args);
    assert.match(said.stderr, /does not exist yet/, args);
  }
});

test('the other verbs', async () => {
  const run = runFacts('cancelled', { read: 5, delivered: 5 });
  const runs = await headrace('runs', { runs: () => Promise.resolve([run]) });
  assert.match(
    runs.stdout,
    /^run {4}sync {4}state .*\nrun-1 {2}orders {2}cancelled {2}manual {2}2026-01-02 03:04:05 {2}2\.0 s /,
  );
  assert.equal(JSON.parse((await headrace('runs --json', { runs: () => Promise.resolve([run]) })).stdout)[0].read, 5);
  assert.match((await headrace('cancel orders')).stdout, /Run run-1 of orders cancelled/);
  assert.equal((await headrace('disable orders --json')).stdout, '{"name":"orders","enabled":false}\n');
  assert.equal((await headrace('export')).stdout, 'yaml of 0\n');
  assert.equal(JSON.parse((await headrace('schema')).stdout).type, 'object');
  assert.equal((await headrace('kafka stop')).stdout, 'No Kafka was running.\n');
  assert.match((await headrace('kafka start')).stdout, /Kafka runs on 127\.0\.0\.1:9092 \(process 42\)\./);
  assert.equal((await headrace('start --port 1')).code, 1);
  const topic = { topic: 't', partitions: 3, replication: 1, cleanupPolicy: null, maxMessageBytes: 1048588 };
  assert.match(
    (await headrace('topics main', { topics: () => Promise.resolve([topic]) })).stdout,
    /\nt {14}3 {12}1 {2}- {8}1048588\n|t +3 +1 +- +1048588/,
  );
});

test('dead letters are told by code, then one by one', async () => {
  const { stdout, stderr } = await headrace('dead-letters orders', {
    deadLetters: () =>
      Promise.resolve({
        total: 2,
        byCode: [
          {
            code: 'too_large',
            count: 2,
            example: 'larger than the topic allows',
            firstAt: startedAt,
            lastAt: startedAt,
            remedy: 'Send less.',
          },
        ],
        topic: 'rejected',
        destination: 'main',
        letters: [
          {
            id: '9',
            sync: 'orders',
            run: 'run-1',
            code: 'too_large',
            reason: 'larger than the topic allows',
            field: null,
            position: 'orders.csv:2',
            topic: 'orders',
            partition: 0,
            key: '7',
            value: { base64: '/w==' },
            createdAt: startedAt,
          },
        ],
      }),
  });
  assert.match(stdout, /too_large {6}2 {2}2026-01-02 03:04:05 {2}2026-01-02 03:04:05 {2}larger/);
  assert.match(stdout, /too_large: Send less\./);
  assert.match(stderr, /headrace tail rejected --destination main --from-start/);
  assert.match(stdout, /The newest 1 of 2:/);
  assert.match(stdout, /orders\.csv:2 {2}orders {2}larger than the topic allows {2}base64:\/w==/);
});

test('redriving tells what became of the letters, by its words and by its exit code', async () => {
  const answer = { delivered: 3, rejected: 0, filtered: 1, unreadable: 0, stopped: null };
  const all = await headrace('dead-letters orders --redrive', { redrive: () => Promise.resolve(answer) });
  assert.deepEqual([all.code, all.stdout], [0, '3 delivered; 1 let pass no longer and forgotten.\n']);
  const some = await headrace('dead-letters orders --redrive --json', {
    redrive: () => Promise.resolve({ ...answer, rejected: 2 }),
  });
  assert.deepEqual([some.code, JSON.parse(some.stdout).rejected], [2, 2]);
  const stopped = { code: 'authentication_failed', reason: 'refused', remedy: 'Mend it.' };
  const none = await headrace('dead-letters orders --redrive', {
    redrive: () => Promise.resolve({ ...answer, delivered: 0, filtered: 0, stopped }),
  });
  assert.deepEqual([none.code, none.stdout], [1, 'Nothing was sent.\n']);
  assert.match(none.stderr, /refused\. Mend it\./);
});

test('dead letters are forgotten only with --yes', async () => {
  const cleared: (string | null)[] = [];
  const clearDeadLetters = (_sync: string, code: string | null): Promise<{ removed: number }> => {
    cleared.push(code);
    return Promise.resolve({ removed: 4 });
  };
  const asked = await headrace('dead-letters orders --clear', { clearDeadLetters });
  assert.equal(asked.code, 64);
  assert.match(asked.stderr, /0 dead letters would be forgotten for good\. Add --yes/);
  assert.deepEqual(cleared, []);
  const done = await headrace('dead-letters orders --clear --code too_large --yes', { clearDeadLetters });
  assert.deepEqual([done.code, done.stdout, cleared], [0, '4 dead letters are forgotten.\n', ['too_large']]);
  assert.equal((await headrace('dead-letters orders --yes')).code, 64);
});
