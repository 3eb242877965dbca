/** Set-up and the scripts around it: what is missing is brought or named in one sentence, what is there stays. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { newJar, serveJars, type Jar, type JarServer } from '../support/jar-server.ts';
import { until } from '../support/until.ts';

const checkout = join(import.meta.dirname, '..', '..');
const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});
function newFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'headrace-setup-')));
  folders.push(folder);
  return folder;
}

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(command: string, args: readonly string[], options: { env?: object; cwd?: string } = {}) {
  const env = { ...process.env, ...options.env } as NodeJS.ProcessEnv;
  const child = spawn(command, args, { cwd: options.cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const printed = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (printed.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (printed.stderr += chunk.toString()));
  const ended = once(child, 'close').then(([code, signal]): Ended => ({ code, signal, ...printed }));
  return { child, ended, printed };
}

const runNode = (args: readonly string[], env: object = {}): Promise<Ended> =>
  start(process.execPath, args, { env }).ended;

/** One sentence, which ends what was printed, and no stack. */
function assertSentence(ended: Ended, pattern: RegExp): void {
  const lines = ended.stderr.trim().split('\n');
  assert.equal(ended.code, 1, ended.stderr);
  assert.match(lines.at(-1) ?? '', pattern);
  assert.doesNotMatch(ended.stderr, /^\s+at /m);
}

describe('jars', () => {
  /** Runs the script over a list of these jars; `cached` are in the folder beforehand. */
  async function repository(jars: readonly Jar[]) {
    const cache = newFolder();
    const server = await serveJars(jars);
    const lists = join(cache, 'lists.json');
    const list = jars.map(({ coordinates, size, sha512 }) => ({ coordinates, size, sha512 }));
    writeFileSync(lists, JSON.stringify({ 'kafka/test': list }));
    const args = [
      join(checkout, 'scripts/setup/jars.mjs'),
      '--cache',
      cache,
      '--lists',
      lists,
      '--first-wait-ms',
      '20',
      'kafka/test',
    ];
    const env = { HEADRACE_MAVEN_REPOSITORY: server.address };
    return { folder: join(cache, 'kafka/test'), server, begin: () => start(process.execPath, args, { env }) };
  }
  const assertComplete = (folder: string, jars: readonly Jar[]): void => {
    const names = jars.map(({ coordinates }) => `${coordinates.split(':')[1]}-1.0.jar`);
    assert.deepEqual(readdirSync(folder).sort(), names.toSorted());
    for (const [index, name] of names.entries()) assert.ok(readFileSync(join(folder, name)).equals(jars[index]!.bytes));
  };
  const withServer = async (
    jars: readonly Jar[],
    work: (it: Awaited<ReturnType<typeof repository>>) => Promise<void>,
  ) => {
    const all = await repository(jars);
    try {
      await work(all);
    } finally {
      all.server.close();
    }
  };
  const ranges = (server: JarServer): string[] => server.requests.map((request) => request.split(' ')[1] ?? 'all');

  it('come from the repository that the environment names, with progress, and are not asked for again', async () => {
    const jars = [newJar('one', 300_000), newJar('two', 20_000), newJar('three', 1)];
    await withServer(jars, async ({ folder, server, begin }) => {
      const first = await begin().ended;
      assert.equal(first.code, 0, first.stderr);
      assertComplete(folder, jars);
      assert.match(first.stderr, /Fetching 3 jars: 0\.3 of 0\.3 MB \(100 %\)/);
      assert.equal(server.requests.length, 3);
      writeFileSync(join(folder, 'left-over-0.9.jar'), 'of another version');
      assert.equal((await begin().ended).code, 0);
      assert.equal(server.requests.length, 3);
      assertComplete(folder, jars);
    });
  });

  it('are resumed where a connection broke', async () => {
    const jars = [newJar('one', 1_000_000)];
    await withServer(jars, async ({ folder, server, begin }) => {
      server.manners.push('cut', 'cut');
      assert.equal((await begin().ended).code, 0);
      assertComplete(folder, jars);
      const [first, ...resumed] = ranges(server);
      assert.equal(first, 'all');
      const from = resumed.map((range) => Number(/^bytes=(\d+)-$/.exec(range)?.[1]));
      assert.ok(from.length === 2 && from[0]! > 0 && from[1]! > from[0]!, `resumed at ${from.join()}`);
    });
  });

  it('are resumed where set-up was killed', async () => {
    const jars = [newJar('one', 1_000_000)];
    await withServer(jars, async ({ folder, server, begin }) => {
      server.manners.push('hang');
      const killed = begin();
      const part = join(folder, 'one-1.0.jar.part');
      await until('the first half has come', () => existsSync(part) && readFileSync(part).length === 500_000);
      killed.child.kill('SIGKILL');
      await killed.ended;
      assert.equal((await begin().ended).code, 0);
      assertComplete(folder, jars);
      assert.deepEqual(ranges(server), ['all', 'bytes=500000-']);
    });
  });

  it('are fetched from the start where a server does not resume', async () => {
    const jars = [newJar('one', 100_000)];
    await withServer(jars, async ({ folder, server, begin }) => {
      server.manners.push('cut', 'ignore range');
      assert.equal((await begin().ended).code, 0);
      assertComplete(folder, jars);
    });
  });

  it('are fetched again where the checksum is wrong, on arrival or in the cache', async () => {
    const jars = [newJar('one', 100_000), newJar('two', 100_000)];
    await withServer(jars, async ({ folder, server, begin }) => {
      server.manners.push('corrupt');
      assert.equal((await begin().ended).code, 0);
      assertComplete(folder, jars);
      assert.equal(server.requests.length, 3);
      writeFileSync(join(folder, 'two-1.0.jar'), Buffer.alloc(100_000));
      assert.equal((await begin().ended).code, 0);
      assertComplete(folder, jars);
      assert.equal(server.requests.length, 4);
    });
  });

  it('fail in one sentence that names jar, host and remedy', async () => {
    await withServer([newJar('one', 1000)], async ({ folder, server, begin }) => {
      const { host } = new URL(server.address);
      server.manners.push('corrupt', 'corrupt', 'corrupt', 'corrupt');
      const corrupt = new RegExp(`^one-1.0.jar could not be fetched from ${host}, the checksum is not.*HEADRACE_MAVEN`);
      assertSentence(await begin().ended, corrupt);
      assert.deepEqual(readdirSync(folder), []);
      server.manners.push('missing', 'missing', 'missing', 'missing');
      assertSentence(await begin().ended, new RegExp(`one-1.0.jar could not be fetched from ${host}, it answers 404:`));
      server.close();
      assertSentence(await begin().ended, new RegExp(`^${host} could not be reached \\(ECONNREFUSED\\).*network`));
    });
  });
});

/** A checkout with the real scripts, and with npm, java and the program played by these shell scripts. */
function playedCheckout(played: { npm?: string; ping?: string; java?: string; cli?: string }) {
  const folder = newFolder();
  cpSync(join(checkout, 'scripts'), join(folder, 'scripts'), { recursive: true });
  cpSync(join(checkout, 'bin'), join(folder, 'bin'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
  writeFileSync(join(folder, 'package-lock.json'), '{}');
  mkdirSync(join(folder, 'src'));
  writeFileSync(join(folder, 'src/cli.ts'), played.cli ?? '');
  const tools = join(folder, 'tools');
  mkdirSync(tools);
  const npm = played.npm ?? 'mkdir -p node_modules';
  const script = (name: string, text: string): void => {
    writeFileSync(join(tools, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(tools, name), 0o755);
  };
  script(
    'npm',
    `[ "$1" = --version ] && exit\n${played.ping ?? '[ "$1" = ping ] && exit'}\necho "$@" >> npm-calls\n${npm}`,
  );
  if (played.java !== undefined) script('java', played.java);
  for (const name of ['sh', 'mkdir', 'sleep', 'dirname', 'readlink', 'ps', 'cat']) linkTool(tools, name);
  symlinkSync(process.execPath, join(tools, 'node'));
  const env = { PATH: tools, JAVA_HOME: '', KAFKA_BROKERS: '' };
  const npmCalls = (): number =>
    existsSync(join(folder, 'npm-calls'))
      ? readFileSync(join(folder, 'npm-calls'), 'utf8').trim().split('\n').length
      : 0;
  const setup = (...args: string[]): Promise<Ended> => runNode([join(folder, 'scripts/setup.mjs'), ...args], env);
  return { folder, tools, env, npmCalls, setup };
}

function linkTool(tools: string, name: string): void {
  const from = ['/bin', '/usr/bin'].map((folder) => join(folder, name)).find((path) => existsSync(path));
  if (from !== undefined) symlinkSync(from, join(tools, name));
}

describe('set-up', () => {
  it('installs the packages once for each state of the lockfile', async () => {
    const { folder, npmCalls, setup } = playedCheckout({});
    const first = await setup('--no-kafka');
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stderr, /Installing npm packages/);
    assert.equal((await setup('--no-kafka')).stderr, 'Everything is in place.\n');
    assert.equal(npmCalls(), 1);
    writeFileSync(join(folder, 'package-lock.json'), '{"changed": true}');
    await setup('--no-kafka');
    assert.equal(npmCalls(), 2);
  });

  it('begins again where an earlier one was broken off', async () => {
    const { folder, npmCalls, setup } = playedCheckout({ npm: 'mkdir -p node_modules; [ -e go-on ]' });
    assertSentence(await setup('--no-kafka'), /npm ci failed/);
    writeFileSync(join(folder, 'go-on'), '');
    assert.equal((await setup('--no-kafka')).code, 0);
    assert.equal(npmCalls(), 2);
  });

  it('installs from the cache, or says which host npm could not reach', async () => {
    const error = 'echo "npm error request to https://registry.example/x failed, code ENOTFOUND" >&2';
    const ping = `[ "$1" = ping ] && ${error} && exit 1`;
    assertSentence(
      await playedCheckout({ ping, npm: 'exit 1' }).setup('--no-kafka'),
      /could not reach registry\.example: connect/,
    );
    const { folder, setup } = playedCheckout({ ping });
    assert.equal((await setup('--no-kafka')).code, 0);
    assert.match(readFileSync(join(folder, 'npm-calls'), 'utf8'), /^ci .*--offline\n$/);
    const later = playedCheckout({ npm: `${error}; exit 1` });
    assertSentence(await later.setup('--no-kafka'), /could not reach registry\.example: connect/);
  });

  it('lets a second one wait for the first', async () => {
    const { folder, env, npmCalls, setup } = playedCheckout({
      npm: 'while [ ! -e go-on ]; do sleep 0.05; done; mkdir -p node_modules',
    });
    const first = setup('--no-kafka');
    await until('the first is at work', () => npmCalls() === 1);
    const second = start(process.execPath, [join(folder, 'scripts/setup.mjs'), '--no-kafka'], {
      env,
    });
    await until('the second waits', () => /Another set-up is at work here \(process \d+\)/.test(second.printed.stderr));
    writeFileSync(join(folder, 'go-on'), '');
    assert.deepEqual([(await first).code, (await second.ended).code, npmCalls()], [0, 0, 1]);
    assert.deepEqual(readdirSync(join(folder, '.cache')), []);
  });

  it('takes over the lock of a set-up that was killed', async () => {
    const { folder, setup } = playedCheckout({});
    const dead = start('true', []);
    await dead.ended;
    mkdirSync(join(folder, '.cache'));
    writeFileSync(join(folder, '.cache/setup.lock'), String(dead.child.pid));
    assert.equal((await setup('--no-kafka')).code, 0);
  });

  it('says that Java is missing or too old, and takes the one of JAVA_HOME', async () => {
    const missing = playedCheckout({});
    assertSentence(await missing.setup(), /Java 17 or newer and there is none on PATH.*install it.*KAFKA_BROKERS/);
    const old = playedCheckout({ java: 'echo \'openjdk version "11.0.2" 2019-01-15\' >&2' });
    assertSentence(await old.setup(), /Java 17 or newer and the one here is 11\.0\.2/);
    const onlyTold = playedCheckout({ java: 'echo "Unable to locate a Java Runtime." >&2; exit 1' });
    assertSentence(await onlyTold.setup(), /Java 17 or newer and there is none/);

    mkdirSync(join(old.folder, 'jdk/bin'), { recursive: true });
    writeFileSync(join(old.folder, 'jdk/bin/java'), '#!/bin/sh\necho \'openjdk version "21.0.1"\' >&2\n', {
      mode: 0o755,
    });
    const env = { ...old.env, JAVA_HOME: join(old.folder, 'jdk') };
    const probe = `import('${old.folder}/scripts/setup/tools.mjs').then(({ checkJava }) => console.log(checkJava(), process.env.PATH))`;
    assert.equal((await runNode(['-e', probe], env)).stdout, `21.0.1 ${old.folder}/jdk/bin:${old.tools}\n`);
  });

  it('asks nobody outside when everything is in place', async () => {
    await runNode([join(checkout, 'scripts/setup.mjs')]);
    const server = await serveJars([]);
    const env = { HEADRACE_MAVEN_REPOSITORY: server.address, npm_config_registry: server.address };
    const { code, stderr } = await runNode([join(checkout, 'scripts/setup.mjs')], env);
    server.close();
    assert.deepEqual([code, stderr, server.requests], [0, 'Everything is in place.\n', []]);
  });
});

describe('npm start', () => {
  const cli = `
    let signals = 0;
    process.on('SIGINT', () => signals++ === 0 && setTimeout(() => (console.log('signals ' + signals), process.exit(7)), 300));
    setInterval(() => {}, 1000);
    console.log('running ' + process.argv.slice(2) + ' ' + process.versions.node);`;

  it('hands its one SIGINT and the exit code through, and needs no Java where a Kafka is given', async () => {
    const { folder, env } = playedCheckout({ cli });
    const npmStart = start(process.execPath, [join(folder, 'scripts/start.mjs'), '--x'], {
      env: { ...env, KAFKA_BROKERS: 'kafka.example:9092' },
    });
    await until('it runs', () => npmStart.printed.stdout.includes('running demo,--x 24.'));
    npmStart.child.kill('SIGINT');
    npmStart.child.kill('SIGINT');
    const { code, stdout } = await npmStart.ended;
    assert.equal(code, 7);
    assert.match(stdout, /signals 1\n$/);
  });

  it('ends as its program ends by a signal', async () => {
    const { folder, env } = playedCheckout({ cli: `process.kill(process.pid, 'SIGKILL');` });
    const ended = await runNode([join(folder, 'scripts/start.mjs')], { ...env, KAFKA_BROKERS: 'kafka.example:9092' });
    assert.equal(ended.code, 128 + 9);
  });
});

describe('bin/headrace', () => {
  const cli = 'console.log(process.cwd(), process.argv.slice(2).join(), process.ppid, process.pid);';

  it('runs from another folder and through links, in place of the shell', async () => {
    const { folder, env } = playedCheckout({ cli });
    const elsewhere = newFolder();
    symlinkSync(join(folder, 'bin/headrace'), join(elsewhere, 'absolute'));
    mkdirSync(join(elsewhere, 'deeper'));
    symlinkSync('../absolute', join(elsewhere, 'deeper/relative'));
    const run = start('./deeper/relative', ['a b', 'c'], { cwd: elsewhere, env });
    const { stdout } = await run.ended;
    assert.equal(stdout, `${elsewhere} a b,c ${process.pid} ${run.child.pid}\n`);
  });

  it('uses the Node of the dependencies where the machine has an older one, and says when there is neither', async () => {
    const { folder, tools, env } = playedCheckout({ cli });
    rmSync(join(tools, 'node'));
    writeFileSync(join(tools, 'node'), '#!/bin/sh\necho v20.20.2\n', { mode: 0o755 });
    const neither = await start(join(folder, 'bin/headrace'), [], { env }).ended;
    assert.equal(neither.code, 1);
    assert.equal(
      neither.stderr,
      `headrace: Node 24.7 or newer is needed and this machine has 20.20.2: run "npm run setup" in ${folder}, which brings one.\n`,
    );
    mkdirSync(join(folder, 'node_modules/node/bin'), { recursive: true });
    symlinkSync(process.execPath, join(folder, 'node_modules/node/bin/node'));
    const { stdout } = await start(join(folder, 'bin/headrace'), ['x'], { env, cwd: tools }).ended;
    assert.match(stdout, new RegExp(`^${tools} x `));
  });
});
