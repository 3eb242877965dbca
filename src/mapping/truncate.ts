/** Cuts named fields out of the value of a message that is too large, and says so in a header. All else keeps its bytes. */
import { JsonScanner } from '../base/json-scan.ts';
import type { Header, Message } from '../model/index.ts';
import { parsePath } from './path.ts';

/** The header that a message carries whose fields were cut: their paths, with commas. */
export const TRUNCATED_HEADER = 'headrace-truncated';

/** As delivery asks for it: `excessOf` gives the bytes over the limit, 0 or less when the message fits. */
export type Truncation = (message: Message, excessOf: (message: Message) => number) => Message | null;

interface Field {
  readonly path: string;
  /** One for each step of the path: it finds that member. */
  readonly scanners: readonly JsonScanner[];
}

interface Span {
  readonly begin: number;
  readonly end: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NULL = Buffer.from('null');

/**
 * Compiles the paths (`$.properties.body`, members of objects only). Fields are cut in this order, each no further than it
 * takes: text at its end, where neither a character nor an escape is split; anything else becomes null. The result is as
 * short as it gets when that is not enough; null when the value is no JSON object or has none of the fields.
 */
export function compileTruncation(paths: readonly string[]): Truncation {
  const fields = paths.map(compileField);
  return (message, excessOf) => {
    let best: Message | null = null;
    let value = message.value;
    if (value === null) return null;
    const cut = [...alreadyCut(message)];
    for (const field of fields) {
      const span = find(value, field);
      if (span === null) continue;
      const names = cut.includes(field.path) ? cut : [...cut, field.path];
      const shorter = shorten(value, span, excessOf(marked(message, value, names)));
      if (shorter === null) continue;
      value = shorter;
      if (names !== cut) cut.push(field.path);
      best = marked(message, value, cut);
      if (excessOf(best) <= 0) return best;
    }
    return best;
  };
}

function compileField(path: string): Field {
  const parsed = parsePath(path);
  if (!parsed.ok) throw new Error(`${path}: ${parsed.reason}`);
  return { path, scanners: parsed.steps.map((step) => new JsonScanner([step])) };
}

function marked(message: Message, value: Buffer, names: readonly string[]): Message {
  const others = message.headers.filter(([name]) => name !== TRUNCATED_HEADER);
  const header: Header = [TRUNCATED_HEADER, Buffer.from(names.join(', '))];
  return { ...message, value, headers: [...others, header] };
}

function alreadyCut({ headers }: Message): readonly string[] {
  const header = headers.find(([name]) => name === TRUNCATED_HEADER);
  return header?.[1] == null ? [] : header[1].toString().split(', ');
}

/** Where the value of a field stands in the bytes. */
function find(value: Buffer, { scanners }: Field): Span | null {
  let begin = 0;
  let end = value.length;
  for (const scanner of scanners) {
    if (scanner.scan(value.subarray(begin, end)) !== null || !scanner.isObject || scanner.begins[0]! < 0) return null;
    end = begin + scanner.ends[0]!;
    begin += scanner.begins[0]!;
  }
  return { begin, end };
}

/** The value with the field `overBytes` shorter, or as short as it gets; null when it cannot be shorter. */
function shorten(value: Buffer, { begin, end }: Span, overBytes: number): Buffer | null {
  if (value[begin] !== QUOTE) {
    if (end - begin <= NULL.length) return null;
    return Buffer.concat([value.subarray(0, begin), NULL, value.subarray(end)]);
  }
  const length = end - begin - 2;
  if (length === 0) return null;
  const keepTo = wholeCharacters(value, begin + 1, begin + 1 + Math.max(0, Math.min(length - 1, length - overBytes)));
  return Buffer.concat([value.subarray(0, keepTo), value.subarray(end - 1)]);
}

/** The last place at or before `limit` where no character, escape or pair of escapes is split. */
function wholeCharacters(bytes: Buffer, from: number, limit: number): number {
  let at = from;
  for (;;) {
    const next = at + unitBytes(bytes, at);
    if (next > limit || at >= limit) return at;
    at = next;
  }
}

function unitBytes(bytes: Buffer, at: number): number {
  const byte = bytes[at]!;
  if (byte === BACKSLASH) {
    if (bytes[at + 1] !== 0x75) return 2;
    // A high surrogate belongs to the escape after it.
    const high = /^d[89ab]/i.test(bytes.toString('latin1', at + 2, at + 4));
    return high && bytes[at + 6] === BACKSLASH && bytes[at + 7] === 0x75 ? 12 : 6;
  }
  if (byte < 0x80) return 1;
  if (byte < 0xe0) return 2;
  return byte < 0xf0 ? 3 : 4;
}
