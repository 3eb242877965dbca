#!/usr/bin/env node
/** Plants each bug of test/mutants/*.json in a copy of the checkout and expects the test it names to turn red. */
import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const usage = `usage: node scripts/mutants.mjs [--check] [--list] [--no-baseline] [NAME ...]
  --check        only see that each planted bug still fits the code
  --no-baseline  do not first see that the tests are green without a bug`;

const checkout = fileURLToPath(new URL('../', import.meta.url));
const copied = ['src', 'test', 'bin', 'examples', 'scripts', 'package.json', 'tsconfig.json'];
const linked = ['node_modules', '.cache'];

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main();

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      check: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      'no-baseline': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return (console.log(usage), 0);
  const all = readMutants();
  const mutants = positionals.length === 0 ? all : all.filter((mutant) => positionals.includes(mutant.name));
  if (mutants.length === 0) return (console.error(`no such mutant; known: ${all.map((m) => m.name).join(', ')}`), 64);
  if (values.list) return (console.log(mutants.map((m) => `${m.name}: ${m.bug}`).join('\n')), 0);
  const stale = mutants.map((mutant) => staleness(mutant)).filter((text) => text !== null);
  for (const text of stale) console.error(text);
  if (values.check || stale.length > 0) return stale.length > 0 ? 1 : 0;
  return await run(mutants, !values['no-baseline']);
}

/** All planted bugs, by name. Each: name (the file's), bug, file, find, replace, test, and perhaps only, env, seconds. */
export function readMutants() {
  const folder = join(checkout, 'test/mutants');
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return files.sort().map((file) => ({
    name: file.slice(0, -'.json'.length),
    ...JSON.parse(readFileSync(join(folder, file), 'utf8')),
  }));
}

/** Why the bug no longer fits the code, or null: what it replaces must stand in the file exactly once. */
export function staleness(mutant) {
  for (const field of ['bug', 'file', 'find', 'replace', 'test'])
    if (typeof mutant[field] !== 'string') return `${mutant.name}: ${field} is missing`;
  for (const file of [mutant.file, mutant.test])
    if (!existsSync(join(checkout, file))) return `${mutant.name}: there is no ${file}`;
  const found = readFileSync(join(checkout, mutant.file), 'utf8').split(mutant.find).length - 1;
  return found === 1 ? null : `${mutant.name}: what it replaces stands in ${mutant.file} ${found} times, not once`;
}

async function run(mutants, baseline) {
  const copy = mkdtempSync(join(tmpdir(), 'headrace-mutants-'));
  const kafka = await startBroker(join(copy, 'kafka'));
  try {
    for (const name of copied)
      if (existsSync(join(checkout, name))) cpSync(join(checkout, name), join(copy, name), { recursive: true });
    for (const name of linked) symlinkSync(join(checkout, name), join(copy, name));
    if (baseline && !(await allGreen(copy, mutants))) return 1;
    const survivors = [];
    for (const mutant of mutants) {
      const path = join(copy, mutant.file);
      const original = readFileSync(path, 'utf8');
      writeFileSync(
        path,
        original.replace(mutant.find, () => mutant.replace),
      );
      const { red, ms } = await runTest(copy, mutant);
      writeFileSync(path, original);
      if (!red) survivors.push(mutant.name);
      console.log(`${red ? 'caught  ' : 'SURVIVED'} ${mutant.name} (${Math.round(ms / 100) / 10} s): ${mutant.bug}`);
    }
    console.log(JSON.stringify({ mutants: mutants.length, caught: mutants.length - survivors.length, survivors }));
    return survivors.length === 0 ? 0 : 1;
  } finally {
    await kafka.stop({ kill: true });
    rmSync(copy, { recursive: true, force: true });
  }
}

/** One broker for all runs, as `npm test` has one for all files; the one that is there where there is one. */
async function startBroker(folder) {
  if (process.env.HEADRACE_TEST_KAFKA !== undefined) return { stop: async () => {} };
  const { startKafka } = await import('../src/local/kafka.ts');
  const kafka = await startKafka({ folder });
  process.env.HEADRACE_TEST_KAFKA = kafka.bootstrap;
  return kafka;
}

/** A test that is red without any bug proves nothing. */
async function allGreen(copy, mutants) {
  const seen = new Set();
  for (const mutant of mutants) {
    const key = JSON.stringify([mutant.test, mutant.only, mutant.env]);
    if (seen.has(key)) continue;
    seen.add(key);
    const { red, output } = await runTest(copy, mutant);
    if (!red) continue;
    console.error(`${mutant.test} is red without a planted bug:\n${output.slice(-4000)}`);
    return false;
  }
  return true;
}

function runTest(copy, mutant) {
  const only = mutant.only === undefined ? [] : ['--test-name-pattern', mutant.only];
  const child = spawn(process.execPath, ['--test', '--test-force-exit', ...only, mutant.test], {
    cwd: copy,
    env: { ...process.env, ...mutant.env, NODE_TEST_CONTEXT: undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const began = performance.now();
  let output = '';
  child.stdout.on('data', (text) => (output += text));
  child.stderr.on('data', (text) => (output += text));
  // A bug may make its test hang: that is red too. The group holds what the test started.
  const timer = setTimeout(() => process.kill(-Number(child.pid), 'SIGKILL'), (mutant.seconds ?? 120) * 1000);
  return new Promise((resolve) =>
    child.once('close', (code) => {
      clearTimeout(timer);
      // No test ran: a name pattern that fits nothing would look green.
      const ran = /^ℹ tests [1-9]|^# tests [1-9]/m.test(output) || code !== 0;
      if (!ran) output += `\nno test of ${mutant.test} is called ${mutant.only}`;
      resolve({ red: code !== 0 || !ran, ms: performance.now() - began, output });
    }),
  );
}
