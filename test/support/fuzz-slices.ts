/**
 * The long fuzzing cut into slices of a few minutes: slice n of a kind is the same texts on every machine.
 * `HEADRACE_SLICES=3` or `0-7` runs those alone, `HEADRACE_RECORD=1` notes what ran green in test/ledger/fuzz.jsonl.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFileSync, globSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fuzzJaas, fuzzSecurity } from './configuration-fuzz.ts';
import { fuzzMappings, fuzzTemplates, type MappingFuzzCounts } from './mapping-fuzz.ts';
import { random, type Random } from './random.ts';
import { fuzzTriggers } from './trigger-fuzz.ts';

interface FuzzKind {
  readonly slices: number;
  /** Texts in one slice. */
  readonly rounds: number;
  /** All code that the texts run through, beside `src/base`'s reading of JSON. */
  readonly code: readonly string[];
  run(source: Random, rounds: number): { readonly refused: number; readonly sound: number };
}

const mapping = ['src/mapping/**/*.ts'];
const configuration = ['src/config/**/*.ts'];

const fuzzKinds: { readonly [name: string]: FuzzKind } = {
  messages: { slices: 16, rounds: 250_000, code: mapping, run: (...input) => ofMapping(fuzzMappings(...input)) },
  templates: { slices: 32, rounds: 500_000, code: mapping, run: (...input) => ofMapping(fuzzTemplates(...input)) },
  triggers: {
    slices: 40,
    rounds: 500_000,
    code: mapping,
    run(...input) {
      const { parsed, refused } = fuzzTriggers(...input);
      return { refused, sound: parsed };
    },
  },
  destinations: {
    slices: 4,
    rounds: 200_000,
    code: configuration,
    run: (...input) => ofTaken(fuzzSecurity(...input)),
  },
  jaas: { slices: 14, rounds: 300_000, code: configuration, run: (...input) => ofTaken(fuzzJaas(...input)) },
};

function ofTaken({ taken, refused }: { taken: number; refused: number }): { refused: number; sound: number } {
  return { refused, sound: taken };
}

function ofMapping({ refused, mapped, rejected }: MappingFuzzCounts): { refused: number; sound: number } {
  return { refused, sound: mapped + rejected };
}

/** One line of the ledger: a slice that ran green, and of which code. */
interface SliceRun {
  readonly kind: string;
  readonly slice: number;
  readonly rounds: number;
  readonly counts: object;
  /** `codeDigest` of what ran. */
  readonly code: string;
  readonly at: string;
}

const checkout = join(import.meta.dirname, '..', '..');
const ledgerFile = join(checkout, 'test', 'ledger', 'fuzz.jsonl');

/** The slices of a kind that `HEADRACE_SLICES` chooses, each a test of its own. */
export function testSlices(name: string): void {
  const kind = fuzzKinds[name]!;
  const code = codeDigest(kind.code);
  for (const slice of chosenSlices(process.env['HEADRACE_SLICES'], kind.slices))
    test(`${name}, slice ${slice}: ${kind.rounds} texts crash nothing`, { timeout: 1_800_000 }, (t) => {
      const counts = kind.run(sliceSource(name, slice), kind.rounds);
      t.diagnostic(JSON.stringify(counts));
      // Means something only when many texts are sound.
      assert.ok(counts.sound > kind.rounds / 100, JSON.stringify(counts));
      const run: SliceRun = { kind: name, slice, rounds: kind.rounds, counts, code, at: new Date().toISOString() };
      if (process.env['HEADRACE_RECORD'] === '1') record(run);
    });
}

/** The texts of a slice do not depend on `HEADRACE_SEED`: that a slice ran must say which texts ran. */
function sliceSource(name: string, slice: number): Random {
  return random(`fuzz ${name}`, BigInt(slice));
}

/** `undefined` all, `3` one, `0-7` several; throws on anything else. */
function chosenSlices(text: string | undefined, slices: number): number[] {
  const all = Array.from({ length: slices }, (_, slice) => slice);
  if (text === undefined || text === '') return all;
  const parts = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(text);
  if (parts === null) throw new Error(`HEADRACE_SLICES must be a slice or a range such as 0-7, not "${text}"`);
  const [first, last] = [Number(parts[1]), Number(parts[2] ?? parts[1])];
  return all.filter((slice) => slice >= first && slice <= last);
}

/** Of all code that the texts run through. */
function codeDigest(code: readonly string[]): string {
  const files = globSync([...code, 'src/base/json*.ts'], { cwd: checkout }).filter(
    (file) => !file.endsWith('.test.ts'),
  );
  const hash = createHash('sha256');
  for (const file of files.sort()) hash.update(file).update(readFileSync(join(checkout, file)));
  return hash.digest('hex').slice(0, 12);
}

function record(run: SliceRun): void {
  mkdirSync(dirname(ledgerFile), { recursive: true });
  appendFileSync(ledgerFile, `${JSON.stringify(run)}\n`);
}
