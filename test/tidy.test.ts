/** The house rules, held by a test: who imports whom, sizes, dead files, forbidden words. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';

const root = resolve(import.meta.dirname, '..');

/** Rooms a room may import; `type:` only as types; `own` is the room itself. What is not listed is refused. */
const table: Readonly<Record<string, readonly string[]>> = {
  base: [],
  model: ['base'],
  config: ['base', 'model'],
  telemetry: ['base', 'model', 'type:ports'],
  sources: ['base', 'model', 'telemetry'],
  mapping: ['base', 'model'],
  delivery: ['base', 'model', 'telemetry'],
  kafka: ['base', 'model', 'telemetry', 'type:ports'],
  local: ['base'],
  store: ['base', 'model', 'telemetry', 'type:ports'],
  syncs: ['base', 'model', 'telemetry', 'sources', 'mapping', 'delivery', 'kafka', 'type:ports'],
  api: ['base', 'model', 'telemetry', 'syncs', 'store', 'type:config', 'type:ports'],
  cli: ['base', 'model', 'contract'],
};
/** Composition: may import anything, and nobody imports them but one another. */
const frontDoors = [
  'src/server.ts',
  'src/cli.ts',
  'src/service.ts',
  'src/open.ts',
  'src/start.ts',
  'src/demo.ts',
  'src/broker.ts',
  'src/doctor.ts',
];

/** Outside packages that only one room may know. */
const packages: Readonly<Record<string, readonly string[]>> = {
  '@platformatic/kafka': ['kafka'],
  oauth4webapi: ['kafka'],
  'aws-msk-iam-sasl-signer-js': ['kafka'],
  '@aws-sdk/credential-providers': ['kafka'],
  'node:sqlite': ['store'],
  kysely: ['store'],
  pg: ['store'],
  '@duckdb/node-api': ['sources'],
  yaml: ['config'],
  commander: ['cli'],
  fastify: ['api'],
  pino: ['telemetry'],
  'prom-client': ['telemetry'],
};

/** Words in code that belong to one place. */
const words: readonly { readonly pattern: RegExp; readonly allowed: RegExp; readonly why: string }[] = [
  {
    pattern: /\bprocess\.env\b/,
    allowed: /^src\/(config\/|cli\.ts|base\/helper-environment\.ts)/,
    why: 'the environment is read in config/ only',
  },
  {
    pattern: /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(/,
    allowed: /^src\/base\//,
    why: 'time comes through base/clock.ts',
  },
  { pattern: /\b(setTimeout|setInterval|setImmediate)\(/, allowed: /^src\/base\//, why: 'timers come through base/' },
  {
    pattern: /Math\.random\(|import .*random.* from 'node:crypto'/,
    allowed: /^src\/base\//,
    why: 'randomness comes through base/random.ts',
  },
  {
    pattern: /\bconsole\.(log|error|warn|info|debug|table)\(/,
    allowed: /^src\/(telemetry\/|cli\/output\.ts)/,
    why: 'only telemetry/ and cli/output.ts print',
  },
];

const MAX_LINES = 500;
const ANY_PER_THOUSAND_LINES = 2;

interface Source {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly { readonly target: string; readonly typeOnly: boolean }[];
}

const sources = filesUnder('src')
  .filter((path) => path.endsWith('.ts'))
  .map(read);
const isTest = (path: string): boolean => path.endsWith('.test.ts') || path.endsWith('.slow.test.ts');
const code = sources.filter((source) => !isTest(source.path));

test('a room imports only what the table allows', () => {
  const faults: string[] = [];
  for (const source of code) {
    const room = roomOf(source.path);
    if (room === null) continue;
    const allowed = table[room];
    assert.ok(allowed !== undefined, `room ${room} is not in the table`);
    for (const { target, typeOnly } of source.imports) {
      if (!target.startsWith('.')) {
        const owner = packages[target];
        if (owner !== undefined && !owner.includes(room))
          faults.push(`${source.path} imports ${target}, which is for ${owner.join(', ')}`);
        continue;
      }
      const path = relative(root, resolve(root, dirname(source.path), target));
      if (mayImport(room, path, typeOnly, allowed)) continue;
      faults.push(`${source.path} imports ${path}${typeOnly ? ' (type)' : ''}`);
    }
  }
  assert.deepEqual(faults, []);
});

test('there is no cycle of value imports, and no dead file', () => {
  const graph = new Map(code.map((source) => [source.path, valueImports(source)]));
  assert.deepEqual(findCycle(graph), []);
  const reached = new Set<string>();
  const visit = (path: string): void => {
    if (reached.has(path)) return;
    reached.add(path);
    const source = sources.find((one) => one.path === path);
    for (const { target } of source?.imports ?? []) if (target.startsWith('.')) visit(join(dirname(path), target));
  };
  for (const door of frontDoors.filter((path) => existsSync(join(root, path)))) visit(door);
  const outside = [...filesUnder('test'), ...filesUnder('bench')].filter((path) => path.endsWith('.ts')).map(read);
  const dead = code
    .map((source) => source.path)
    .filter((path) => !reached.has(path) && !outside.some((one) => imports(one, path)));
  assert.deepEqual(dead, [], 'reached neither from a front door nor from a test');
});

test('files are short and open with one line that says what they are for', () => {
  const all = [
    ...sources,
    ...filesUnder('test')
      .filter((path) => path.endsWith('.ts'))
      .map(read),
  ];
  const long = all.filter((source) => lines(source) > MAX_LINES).map((source) => `${source.path}: ${lines(source)}`);
  assert.deepEqual(long, []);
  const silent = all
    .filter((source) => !source.text.startsWith('/**') && !source.text.startsWith('#!'))
    .map((source) => source.path);
  assert.deepEqual(silent, []);
});

test('what belongs to one place stays there', () => {
  const faults = code.flatMap((source) =>
    words.flatMap(({ pattern, allowed, why }) => {
      if (allowed.test(source.path)) return [];
      if (!pattern.test(stripComments(source.text))) return [];
      return [`${source.path}: ${why}`];
    }),
  );
  assert.deepEqual(faults, []);
});

test('`any` is rare, and every promise cited exists', () => {
  const all = code.map((source) => stripComments(source.text)).join('\n');
  const anys = (all.match(/: any\b|<any>|\bas any\b/g) ?? []).length;
  assert.ok(anys <= (all.split('\n').length / 1000) * ANY_PER_THOUSAND_LINES, `${anys} times any`);
  const cited = new Set(
    code.flatMap((source) => [...source.text.matchAll(/Promise (\d+)/g)].map((match) => Number(match[1]))),
  );
  assert.deepEqual(
    [...cited].filter((number) => number < 1 || number > 10),
    [],
  );
});

test('each promise names the tests that prove it, or says "not yet"; the tests exist', () => {
  const page = readFileSync(join(root, 'docs/PROMISES.md'), 'utf8');
  const sections = page.split(/^## /m).slice(1);
  const numbered = sections.filter((section) => /^\d+\./.test(section));
  assert.deepEqual(
    numbered.map((section) => Number.parseInt(section, 10)),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  );
  for (const section of numbered) {
    const title = section.split('\n')[0]!;
    const proofs = [...section.matchAll(/`((?:src|test)\/[^`]+\.test\.ts)`/g)].map((match) => match[1]!);
    assert.ok(proofs.length > 0 || /not yet/i.test(section), `promise ${title} has no test`);
    for (const proof of proofs)
      assert.ok(existsSync(join(root, proof)), `promise ${title} names ${proof}, which does not exist`);
  }
});

function mayImport(room: string, path: string, typeOnly: boolean, allowed: readonly string[]): boolean {
  const target = roomOf(path);
  if (target === room) return true;
  if (target === null) return false;
  if (allowed.includes(target)) return true;
  if (typeOnly && allowed.includes(`type:${target}`)) return true;
  if (typeOnly && allowed.includes('type:ports') && path.endsWith('ports.ts')) return true;
  return allowed.includes('contract') && path.startsWith('src/api/contract/');
}

function roomOf(path: string): string | null {
  const match = /^src\/([^/]+)\//.exec(path);
  return match === null ? null : match[1]!;
}

function read(path: string): Source {
  const text = readFileSync(join(root, path), 'utf8');
  const found = [...text.matchAll(/^(?:import|export)\s+(type\s+)?(?:[\s\S]*?\sfrom\s+)?['"]([^'"]+)['"];?$/gm)];
  const dynamic = [...stripComments(text).matchAll(/\bimport\(['"]([^'"]+)['"]\)/g)];
  const imports = [
    ...found.map((match) => ({ target: match[2]!, typeOnly: match[1] !== undefined || onlyTypes(match[0]) })),
    ...dynamic.map((match) => ({ target: match[1]!, typeOnly: false })),
  ];
  return { path, text, imports };
}

function onlyTypes(statement: string): boolean {
  const names = /\{([\s\S]*)\}/.exec(statement)?.[1];
  if (names === undefined || /^(import|export)\s+\w/.test(statement)) return false;
  return names
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
    .every((name) => name.startsWith('type '));
}

function valueImports(source: Source): string[] {
  return source.imports
    .filter(({ target, typeOnly }) => target.startsWith('.') && !typeOnly)
    .map(({ target }) => join(dirname(source.path), target));
}

function imports(source: Source, path: string): boolean {
  return source.imports.some(({ target }) => target.startsWith('.') && join(dirname(source.path), target) === path);
}

function findCycle(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const walk = (path: string, trail: readonly string[]): string[] => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return [];
    for (const next of graph.get(path) ?? []) {
      const cycle = walk(next, [...trail, path]);
      if (cycle.length > 0) return cycle;
    }
    done.add(path);
    return [];
  };
  for (const path of graph.keys()) {
    const cycle = walk(path, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}

function stripComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '$1');
}

function lines(source: Source): number {
  return source.text.split('\n').length;
}

function filesUnder(folder: string): string[] {
  const at = join(root, folder);
  if (!existsSync(at)) return [];
  return readdirSync(at, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}
