/** Static checks, one Kafka for all test files, and the runner; whatever happens, the broker is stopped. */
import { spawn, type ChildProcess } from 'node:child_process';
import { globSync, rmSync } from 'node:fs';
import { availableParallelism, constants } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { endRecorded } from '../../src/local/cluster-record.ts';
import { startKafka } from '../../src/local/kafka.ts';
import { clearAbandoned, newKafkaFolder } from '../../test/support/kafka-folders.ts';

const checkout = join(import.meta.dirname, '..', '..');
const tools = join(checkout, 'node_modules', '.bin');

const minutes = (count: number): number => count * 60_000;
const { values: options, positionals } = parseArgs({
  options: { slow: { type: 'boolean' }, chaos: { type: 'boolean' } },
  allowPositionals: true,
});
const limitMs = options.slow || options.chaos ? minutes(180) : minutes(45);
const testLimitMs = options.slow || options.chaos ? minutes(60) : minutes(5);

/** `npm run chaos -- F5 "F1 collector"`: the tests whose names begin so; each is a slice of at most ten minutes. */
const slices = options.chaos ? positionals.filter((name) => /^[FP]\d/.test(name)) : [];

let running: ChildProcess | null = null;
let stoppedBy: NodeJS.Signals | null = null;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    stoppedBy ??= signal;
    endGroup(signal);
  });

process.exitCode = await main();

async function main(): Promise<number> {
  const all = !options.slow && !options.chaos && positionals.length === 0;
  if (all && !(await staticChecks())) return 1;
  const files = selected();
  if (files.length === 0) return complain('No test file was found.');
  await clearAbandoned();
  const folder = newKafkaFolder();
  try {
    const kafka = await startKafka({ folder, heap: '768m' });
    return stoppedBy ? codeOf(stoppedBy) : await runTests(files, kafka.bootstrap);
  } catch (error) {
    return complain(String(error));
  } finally {
    await endRecorded(folder, 0);
    await clearAbandoned();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function staticChecks(): Promise<boolean> {
  const checks: [string, string[]][] = [
    ['tsc', ['--noEmit', '-p', '.']],
    ['oxlint', ['--type-aware', '--quiet']],
    ['prettier', ['--check', '--log-level=warn', '.']],
  ];
  for (const [tool, args] of checks) {
    const code = await run(join(tools, tool), args);
    if (code !== 0) {
      complain(`${tool} ${args.join(' ')} found the faults above: the tests were not run.`);
      return false;
    }
  }
  return true;
}

function selected(): string[] {
  if (positionals.length > slices.length) return positionals.filter((name) => !slices.includes(name));
  const where = options.chaos ? ['test/chaos/**/*.test.ts'] : ['src/**/*.test.ts', 'test/**/*.test.ts'];
  const isSlow = (file: string): boolean => file.endsWith('.slow.test.ts');
  const wanted = (file: string): boolean => (options.chaos ? true : isSlow(file) === (options.slow ?? false));
  return globSync(where, { cwd: checkout }).filter(wanted).sort();
}

async function runTests(files: readonly string[], bootstrap: string): Promise<number> {
  const concurrency = options.slow || options.chaos ? 1 : Math.max(2, Math.floor(availableParallelism() / 2));
  const runner = ['--test', `--test-concurrency=${concurrency}`, `--test-timeout=${testLimitMs}`];
  const reporter = [
    '--test-reporter',
    join(import.meta.dirname, 'reporter.ts'),
    '--test-reporter-destination',
    'stdout',
  ];
  const names = slices.map((name) => `--test-name-pattern=/\\b${name}\\b/`);
  const ledger = process.env['HEADRACE_LEDGER'] ?? join(checkout, 'test', 'ledger');
  const chaos = { HEADRACE_CHAOS: 'long', HEADRACE_LEDGER: ledger };
  const environment = { HEADRACE_TEST_KAFKA: bootstrap, ...(options.chaos ? chaos : {}) };
  const code = await run(process.execPath, [...runner, ...names, ...reporter, ...files], environment, limitMs);
  if (options.chaos) await run(process.execPath, ['scripts/fault-docs.ts', '--write']);
  return code;
}

/** To the runner and all test processes; more and more firmly. */
function endGroup(signal: NodeJS.Signals): void {
  const group = running;
  const send = (each: NodeJS.Signals): void => {
    if (group?.pid !== undefined && group === running) process.kill(-group.pid, each);
  };
  send(signal);
  setTimeout(() => send('SIGTERM'), 5_000).unref();
  setTimeout(() => send('SIGKILL'), 10_000).unref();
}

/** The exit code; a signal or the limit of time ends it, and is no success. */
function run(command: string, args: string[], environment: object = {}, timeLimitMs = minutes(10)): Promise<number> {
  return new Promise((resolve) => {
    const env = { ...process.env, ...environment };
    const child = spawn(command, args, { cwd: checkout, stdio: 'inherit', env, detached: true });
    running = child;
    const limit = setTimeout(() => {
      complain(`Not done after ${timeLimitMs / 60_000} minutes: ended.`);
      endGroup('SIGTERM');
    }, timeLimitMs);
    const ended = (code: number): void => {
      clearTimeout(limit);
      running = null;
      resolve(code);
    };
    child.once('error', (error) => ended(complain(`${command}: ${error.message}`)));
    child.once('exit', (code, signal) => ended(stoppedBy ? codeOf(stoppedBy) : (code ?? codeOf(signal ?? 'SIGTERM'))));
  });
}

function codeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

function complain(sentence: string): number {
  console.error(sentence);
  return 1;
}
