/**
 * Promise 8, whole: a canary in every secret of every login and key, through deliveries, refusals, outages and a crash;
 * every output of every process, answer, file and message searched for any piece of any of them, in any form.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { JsonObject } from '../../src/model/index.ts';
import { badDestinations, badFiles } from '../support/bad-logins.ts';
import { Canaries, Outputs } from '../support/canaries.ts';
import { canarySetup } from '../support/canary-setups.ts';
import { headrace, launchHeadrace, startHeadrace, type LaunchOptions, type Server } from '../support/headrace.ts';
import { newTopic } from '../support/kafka.ts';
import { startOidc } from '../support/oidc.ts';
import { oracle } from '../support/oracle.ts';
import { setUp } from '../support/setup.ts';
import { until } from '../support/until.ts';

const folder = mkdtempSync(join(tmpdir(), 'headrace-canaries-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const canaries = new Canaries();
const [sound, refusing, hanging] = await Promise.all([
  startOidc(),
  startOidc({ fault: 'refuse' }),
  startOidc({ fault: 'hang' }),
]);
const { kafka, client, working, failing, env } = await canarySetup(canaries, folder, { sound, refusing, hanging });

const writeKeys = {
  plain: canaries.make('write key', { odd: false }),
  environment: canaries.make('write key of the environment', { odd: false }),
};
const own = {
  HEADRACE_TOKEN: canaries.make('HEADRACE_TOKEN', { odd: false }),
  HEADRACE_SECRET_KEY: canaries.make('HEADRACE_SECRET_KEY'),
};
const environment = {
  ...env,
  ...own,
  CANARY_WRITE_KEY: writeKeys.environment,
  LOG_LEVEL: 'trace',
  // Both are cleared by bin/headrace.
  DEBUG: '*',
  NODE_DEBUG: 'http,net,tls,https,fetch',
};
const topic = await newTopic(kafka.bootstrap, 'canaries', { config: { 'max.message.bytes': '2000' } });
const deadLetters = await newTopic(kafka.bootstrap, 'canaries-dead');

const message = { topic, key: '$.userId', payload: '$.' };
const destinations = { ...working, ...failing, inline: { ...working['inline'], dead_letters: { topic: deadLetters } } };
const configuration = {
  destinations,
  sources: {
    web: { type: 'events', write_key: writeKeys.plain },
    app: { type: 'events', write_key: '${CANARY_WRITE_KEY}' },
    files: { type: 'files', path: folder },
  },
  syncs: {
    ...Object.fromEntries(
      Object.keys(destinations).map((name) => [`to-${name}`, { source: 'web', destination: name, message }]),
    ),
    app: { source: 'app', destination: 'env', message },
    rows: { source: 'files', destination: 'jaas', read: { file: 'rows.jsonl' }, message: { topic, payload: '$.' } },
    'rows-refused': {
      source: 'files',
      destination: 'wrongPassword',
      read: { file: 'rows.jsonl' },
      message: { topic, payload: '$.' },
    },
  },
};
writeFileSync(join(folder, 'rows.jsonl'), `{"id":1}\nno JSON\n{"id":2,"big":"${'x'.repeat(3000)}"}\n`);
writeFileSync(join(folder, 'event.json'), '{"type":"track","event":"E","userId":"u"}');

test('the search finds a canary, and a piece of it, in every form', () => {
  const mine = new Canaries();
  for (const odd of [true, false]) {
    const value = mine.make('mine', { odd });
    const bytes = Buffer.from(value);
    const forms = {
      plain: `a ${value} b`,
      piece: value.slice(3, 17),
      JSON: JSON.stringify({ value }),
      URL: encodeURIComponent(value),
      form: new URLSearchParams({ value }).toString(),
      base64: bytes.toString('base64'),
      base64url: bytes.toString('base64url'),
      'base64 of user and password': Buffer.from(`\0user\0${value}`).toString('base64'),
      'base64 of id and secret': Buffer.from(`id:${encodeURIComponent(value)}`).toString('base64'),
      hexadecimal: bytes.toString('hex'),
    };
    for (const [form, text] of Object.entries(forms)) {
      const outputs = new Outputs();
      outputs.add('planted', text);
      assert.equal(outputs.hits(mine).length, 1, form);
    }
  }
  mine.noteKey('key', client.key);
  assert.equal(mine.findIn(JSON.stringify({ key: client.key })).size, 1);
  assert.equal(mine.findIn(client.pem).size, 0, 'a certificate is no secret');
});

test('deliveries, rejections, refused logins, hanging servers, every command and every route', async (t) => {
  const outputs = new Outputs();
  const { data, config } = setUp(t, configuration);
  const server = await startHeadrace({ data, config, env: environment, deadlineMs: 120_000 });
  t.after(() => server.kill());
  const run = runnerOf(outputs, ['--data', data]);
  await sendEvents(server, outputs);
  await until('all that can be delivered is', () => delivered(server), { deadlineMs: 180_000, everyMs: 500 });
  const doctors = watchDoctors(server.pid, outputs);
  await inTurns(Object.keys(destinations), 4, (name) => ask(server, outputs, `/api/destinations/${name}/check`, '{}'));
  doctors.stop();
  assert.ok(doctors.seen() > 0, "the doctor's own process was seen");
  await askRoutes(server, outputs);
  await inTurns(commands(config), 3, (args) => run(...args));
  const tail = launchHeadrace(['tail', topic, '--destination', 'text', '--from-start', '--data', data], {
    env: environment,
  });
  await until('tail shows a message', () => tail.stdout.includes('userId') || !tail.running, { deadlineMs: 60_000 });
  outputs.add('tail', JSON.stringify(await tail.stop('SIGTERM')));
  assert.equal(statSync(join(data, 'server.json')).mode & 0o77, 0, 'the token is for its owner alone');
  outputs.addFolder(data, (path) => path.endsWith('server.json'));
  const { stdout, stderr } = await server.stop('SIGTERM', 90_000);
  outputs.add('server', stdout + stderr);
  outputs.addFolder(data, (path) => path.endsWith('server.json'));
  for (const name of [topic, deadLetters])
    for (const read of await oracle(kafka.bootstrap).readAll(name)) {
      const headers = read.headers.map(([header, value]) => `${header}: ${String(value)}`);
      outputs.add(`topic ${name}`, `${String(read.key)} ${String(read.value)} ${headers.join('\n')}`);
    }
  const told = ['too_large', 'row_invalid', 'authentication_failed', 'tls_failed', '@sealed', 'is not handed on'];
  for (const words of told)
    assert.ok(outputs.includes(words), `nothing tells of ${words}: the test has lost its sense`);
  assert.deepEqual(outputs.hits(canaries), []);
});

test('configurations that are refused at the very field, beside it, or before they are read', async (t) => {
  const outputs = new Outputs();
  const { data, config } = setUp(t, { destinations: { main: working['env'] } });
  const server = await startHeadrace({ data, config, env: environment, deadlineMs: 120_000 });
  t.after(() => server.kill());
  const bad = badDestinations(canaries, client);
  for (const [name, body] of Object.entries(bad))
    for (const path of ['/api/plan', '/api/apply', '/api/destinations/main/check']) {
      const objects = [{ kind: 'destination', name: 'main', body }];
      const sent = path.endsWith('check') ? { over: objects } : { objects };
      const status = await ask(server, outputs, path, JSON.stringify(sent));
      // A plan tells problems in its answer, the doctor as a failed step.
      assert.ok(status >= 400 || path !== '/api/apply', `${name} is taken`);
    }
  // V8 quotes what stands around a fault.
  const broken = canaries.make('broken body');
  for (const body of [`{"password": "${broken}" oops`, `{"password": ${broken}}`, broken])
    assert.equal(await ask(server, outputs, '/api/apply', body), 400);
  await server.stop('SIGTERM', 60_000);
  outputs.add('server', server.stdout + server.stderr);
  const run = runnerOf(outputs, ['--data', join(folder, 'no-server')]);
  const files = { ...badFiles(canaries), 'all at once': JSON.stringify({ destinations: withNames(bad) }) };
  await inTurns(Object.entries(files), 3, async ([name, text]) => {
    const file = join(folder, `bad ${name}.yaml`);
    writeFileSync(file, text);
    assert.notEqual(await run('apply', '-f', file), 0, `${name} is taken`);
  });
  const all = join(folder, 'bad all at once.yaml');
  const start = ['start', '--port', '0', '--config', all];
  await inTurns([start, ['check', 'a', '--config', all], ['topics', 'a', '--config', all]], 3, (args) => run(...args));
  const short = canaries.make('short secret key', { odd: false }).slice(0, 14);
  const database = `postgres://u:${canaries.make('database password', { odd: false })}@127.0.0.1:1/none`;
  const odd: readonly Record<string, string>[] = [{ HEADRACE_SECRET_KEY: short }, { DATABASE_URL: database }];
  for (const more of odd) {
    const exit = await headrace(['apply', '-f', config, '--data', join(folder, 'other')], {
      env: { ...environment, ...more },
    });
    outputs.add('apply', exit.stdout + exit.stderr);
  }
  outputs.addFolder(data, (path) => path.endsWith('server.json'));
  assert.ok(outputs.includes('contradicts'));
  assert.deepEqual(outputs.hits(canaries), []);
});

test('an error that nobody foresaw ends the process, and tells no secret', async (t) => {
  const outputs = new Outputs();
  const { inline, token } = working;
  const { data, config } = setUp(t, {
    destinations: { inline, token },
    sources: { web: { type: 'events', write_key: writeKeys.plain } },
    syncs: {
      a: { source: 'web', destination: 'inline', message },
      b: { source: 'web', destination: 'token', message },
    },
  });
  const hook =
    "import {subscribe} from 'node:diagnostics_channel';subscribe('headrace.failpoint',(name)=>{if(name==='answer.before')throw new Error('unforeseen')})";
  const crashing = { ...environment, NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hook)}` };
  const server = await startHeadrace({ data, config, env: crashing, deadlineMs: 120_000 });
  t.after(() => server.kill());
  await post(server, { authorization: basic(writeKeys.plain) }, event({})).catch(() => null);
  const exit = await server.exit;
  assert.notEqual(exit.code, 0);
  outputs.add('server', exit.stdout + exit.stderr);
  outputs.addFolder(data, (path) => path.endsWith('server.json'));
  assert.ok(outputs.includes('unforeseen'));
  assert.deepEqual(outputs.hits(canaries), []);
});

test('DEBUG and NODE_DEBUG, by which libraries print what they send, are not handed on', async (t) => {
  const outputs = new Outputs();
  const { data, config } = setUp(t, { destinations: { inline: working['inline'], oidc: working['oidc'] } });
  const debug = { ...environment, DEBUG: 'plt:kafka:*', NODE_DEBUG: 'http' };
  for (const name of ['inline', 'oidc']) {
    const exit = await headrace(['topics', name, '--config', config, '--data', data], { env: debug });
    assert.equal(exit.code, 0, exit.stderr);
    assert.match(exit.stderr, /DEBUG=plt:kafka:\* would print passwords[^]*NODE_DEBUG would print passwords/);
    outputs.add('topics', exit.stdout + exit.stderr);
  }
  assert.deepEqual(outputs.hits(canaries), []);
});

/** Runs `bin/headrace`, keeps what it prints, answers its exit code. */
function runnerOf(outputs: Outputs, data: readonly string[]): (...args: string[]) => Promise<number | null> {
  return async (...args) => {
    const more = ['schema', 'explain'].includes(args[0]!) ? [] : data;
    const options: LaunchOptions = { env: environment };
    const child = launchHeadrace([...args, ...more], options);
    // A run to a broker that refuses the login waits for it.
    const waits = args.includes('rows-refused') && args[0] === 'run';
    if (waits) await until('it waits', () => child.stderr.length > 200 || !child.running).catch(() => null);
    const { code, stdout, stderr } = waits ? await child.stop('SIGTERM', 90_000) : await child.exit;
    outputs.add(args.join(' '), `${stdout}\n${stderr}`);
    return code;
  };
}

function commands(config: string): readonly (readonly [string, ...string[]])[] {
  const failed = ['wrongPassword', 'unknownAuthority', 'oidcRefused'];
  return [
    ['export'],
    ['export', '--json'],
    ['schema'],
    ['apply', '-f', config, '--dry-run', '--json'],
    ['apply', '-f', config],
    ['apply', '-f', join(folder, 'rows.jsonl')],
    ...failed.map((name) => ['topics', name] as const),
    ['topics', 'scram256', '--all', '--json'],
    ['preview', 'to-inline', '--record', join(folder, 'event.json')],
    ['preview', 'rows', '--json'],
    ['run', 'rows'],
    ['run', 'rows-refused'],
    ['runs', '--json'],
    ...['to-inline', 'to-env', 'to-oidc', 'rows'].map((sync) => ['dead-letters', sync] as const),
    ['dead-letters', 'to-mapping', '--redrive'],
    ['disable', 'to-file'],
    ...['inline', 'wrongPassword', 'oidcHangs'].map((name) => ['check', name] as const),
    ['check', 'nowhere'],
    ['run', 'nowhere'],
  ];
}

const basic = (key: string): string => `Basic ${Buffer.from(`${key}:`).toString('base64')}`;
const event = (properties: object): string => JSON.stringify({ userId: 'u', event: 'E', properties });

async function post(server: Server, headers: Record<string, string>, body: string): Promise<[number, string]> {
  const response = await fetch(`${server.address}/v1/track`, { method: 'POST', headers, body });
  return [response.status, `${JSON.stringify([...response.headers])} ${await response.text()}`];
}

/** Good ones, one that no topic takes, and such as are refused. */
async function sendEvents(server: Server, outputs: Outputs): Promise<void> {
  for (const key of Object.values(writeKeys)) {
    const authorization = basic(key);
    const inBody = JSON.stringify({ writeKey: key, userId: 'u', event: 'E' });
    const calls: readonly [number, Record<string, string>, string][] = [
      [200, { authorization }, event({})],
      [200, {}, inBody],
      [200, { authorization }, event({ big: 'x'.repeat(5_000) })],
      [400, { authorization }, '{"broken'],
      [400, {}, inBody.slice(0, -1)],
      [401, { authorization: basic(`${key}x`) }, event({})],
    ];
    for (const [expected, headers, body] of calls) {
      const [status, text] = await post(server, headers, body);
      outputs.add('collector', text);
      assert.equal(status, expected, text);
    }
  }
}

/** Every working destination has delivered, or the server says what holds it. */
async function delivered(server: Server): Promise<boolean> {
  const response = await fetch(`${server.address}/api/status`, { headers: bearer });
  const { syncs } = (await response.json()) as { syncs: { name: string; counts: { delivered: number } }[] };
  const late = syncs.filter(({ name, counts }) => Object.hasOwn(working, name.slice(3)) && counts.delivered < 2);
  if (late.length > 0) throw new Error(JSON.stringify(late));
  return true;
}

const bearer = { authorization: `Bearer ${own.HEADRACE_TOKEN}` };

async function ask(server: Server, outputs: Outputs, path: string, body: string | null): Promise<number> {
  const json = body === null ? {} : { method: 'POST', body };
  const headers = body === null ? bearer : { ...bearer, 'content-type': 'application/json' };
  const response = await fetch(server.address + path, { ...json, headers, signal: AbortSignal.timeout(60_000) });
  outputs.add(path, `${response.status} ${JSON.stringify([...response.headers])} ${await response.text()}`);
  return response.status;
}

/** Each GET of the description, for several objects; with another token; what is not there. */
async function askRoutes(server: Server, outputs: Outputs): Promise<void> {
  const description = (await (await fetch(`${server.address}/api/openapi.json`, { headers: bearer })).json()) as {
    paths: Record<string, Record<string, unknown>>;
  };
  const routes = Object.entries(description.paths).filter(([, methods]) => 'get' in methods);
  assert.ok(routes.length >= 10);
  for (const [route] of routes)
    for (const name of route.includes('destinations')
      ? ['inline', 'wrongScram', 'plainToTls']
      : ['to-inline', 'to-jaas']) {
      await ask(server, outputs, route.replace('{name}', name), null);
    }
  for (const path of ['/readyz?verbose', '/api/nowhere', `/api/status?token=x`]) await ask(server, outputs, path, null);
  const wrong = { authorization: `Bearer ${own.HEADRACE_TOKEN}x` };
  outputs.add('wrong token', await (await fetch(`${server.address}/api/status`, { headers: wrong })).text());
  // S10: a write key opens the collector and nothing else.
  const key = await fetch(`${server.address}/api/status`, { headers: { authorization: basic(writeKeys.plain) } });
  assert.equal(key.status, 401);
}

/** Reads arguments and environment of each process that the doctor is given, while it lives. */
function watchDoctors(parent: number, outputs: Outputs): { stop(): void; seen(): number } {
  const known = new Map<string, boolean>();
  const look = (): void => {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name) && known.get(name) !== true)) {
      const stat = read(`/proc/${pid}/stat`);
      if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) !== parent) continue;
      const [args, variables] = [read(`/proc/${pid}/cmdline`), read(`/proc/${pid}/environ`)];
      // Before it has become Node, it shows its parent's memory; AWS's own search needs its keys from there.
      if (!args.includes('doctor.ts') || variables.includes('AWS_SECRET_ACCESS_KEY')) continue;
      known.set(pid, true);
      outputs.add(`process ${pid}`, `${args}\n${variables}`);
    }
  };
  const timer = setInterval(look, 100);
  return { stop: () => clearInterval(timer), seen: () => known.size };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** So many at once. */
async function inTurns<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<unknown>): Promise<void> {
  const left = [...items];
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** Under names that are names. */
function withNames(bodies: Readonly<Record<string, JsonObject>>): JsonObject {
  return Object.fromEntries(Object.entries(bodies).map(([, body], index) => [`d${index}`, body]));
}
