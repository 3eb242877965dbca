/** One round of fuzzing: a random text through everything that takes the text of a trigger. */
import assert from 'node:assert/strict';
import {
  compileTrigger,
  explainTrigger,
  formatTrigger,
  lintTrigger,
  parseTrigger,
  segmentEquivalent,
} from '../../src/mapping/triggers/index.ts';
import type { JsonValue } from '../../src/model/index.ts';
import type { Random } from './random.ts';
import { broken, randomEvent, randomJunk, randomTrigger } from './triggers.ts';

export interface FuzzCounts {
  parsed: number;
  refused: number;
}

/** No text may crash anything, every position is inside the text, and what parses answers and prints. */
export function fuzzTriggers(source: Random, rounds: number): FuzzCounts {
  const counts: FuzzCounts = { parsed: 0, refused: 0 };
  let record = randomEvent(source);
  for (let round = 0; round < rounds; round++) {
    if (round % 16 === 0) record = randomEvent(source);
    const text = randomText(source);
    try {
      fuzzOne(text, record, round % 8 === 0, counts);
    } catch (error) {
      throw new Error(`the text ${JSON.stringify(text)}`, { cause: error });
    }
  }
  return counts;
}

function randomText(source: Random): string {
  const kind = source.below(4);
  if (kind === 0) return randomJunk(source, 12);
  if (kind === 1) return broken(source, randomTrigger(source));
  if (kind === 2) return randomTrigger(source);
  const unit = (): number => (source.chance(0.8) ? source.between(32, 126) : source.below(0x10000));
  return String.fromCharCode(...Array.from({ length: source.below(30) }, unit));
}

function fuzzOne(text: string, record: JsonValue, thorough: boolean, counts: FuzzCounts): void {
  const parsed = parseTrigger(text);
  if (!parsed.ok) {
    counts.refused++;
    assertPlace(text, parsed.error.offset, parsed.error.line, parsed.error.column);
    assert.notEqual(parsed.error.expected, '');
  } else {
    counts.parsed++;
    assert.equal(typeof compileTrigger(parsed.trigger)(record), 'boolean');
  }
  if (!thorough) return;
  for (const lint of lintTrigger(text)) assertPlace(text, lint.offset, lint.line, lint.column);
  const equivalent = segmentEquivalent(text);
  if (equivalent !== null) assert.ok(parseTrigger(equivalent).ok, equivalent);
  if (!parsed.ok) return;
  assert.equal(explainTrigger(parsed.trigger, record).passed, compileTrigger(parsed.trigger)(record));
  assert.ok(parseTrigger(formatTrigger(parsed.trigger)).ok);
}

function assertPlace(text: string, offset: number, line: number, column: number): void {
  assert.ok(Number.isInteger(offset) && offset >= 0 && offset <= text.length, `offset ${offset}`);
  const lines = text.split(/\r\n|\r|\n/);
  assert.ok(line >= 1 && line <= lines.length, `line ${line}`);
  // A position on the line break itself is one or two behind the line's end.
  assert.ok(column >= 1 && column <= lines[line - 1]!.length + 2, `column ${column}`);
}
