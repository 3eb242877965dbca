/** A record that is JSON text: its bytes as they came, parsed only when someone asks. */
import { parseJson } from '../../../../base/json.ts';
import type { JsonValue, Operation, SourceRecord } from '../../../../model/index.ts';

export class JsonRecord implements SourceRecord {
  readonly stream: string;
  readonly bytes: Buffer;
  /** Line, element or row in its file, from 1. */
  readonly line: number;
  #data: JsonValue | undefined;

  constructor(stream: string, bytes: Buffer, line: number) {
    this.stream = stream;
    this.bytes = bytes;
    this.line = line;
  }

  /** Throws SyntaxError when the bytes are not valid JSON: the mapping makes a rejection of it. */
  get data(): JsonValue {
    this.#data ??= parseJson(this.bytes.toString('utf8')) as JsonValue;
    return this.#data;
  }

  get unparsed(): boolean {
    return this.#data === undefined;
  }

  get position(): string {
    return `${this.stream}:${this.line}`;
  }

  get operation(): Operation {
    return 'created';
  }

  get namespace(): null {
    return null;
  }

  get receivedAtMs(): null {
    return null;
  }

  get messageId(): null {
    return null;
  }
}

/**
 * Why bytes cannot be a row, as far as a glance at both ends tells (a cut line, text that is no JSON); null: they may
 * be one. That the middle is valid JSON is found out by whoever parses or scans it.
 */
export function notAnObject(bytes: Buffer): string | null {
  let start = 0;
  let end = bytes.length - 1;
  while (isSpace(bytes[start])) start++;
  while (isSpace(bytes[end])) end--;
  if (bytes[start] !== 0x7b) return 'A row must be a JSON object that starts with {.';
  if (end === start || bytes[end] !== 0x7d) return 'Not valid JSON: the object is cut off, its last } is missing.';
  return null;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d || byte === 0x0a;
}
