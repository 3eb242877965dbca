/** Reads only the fields that a mapping needs from a record's bytes, and checks that the whole is JSON on the way. */
import { parseJson } from '../base/json.ts';
import { JsonScanner } from '../base/json-scan.ts';
import { setMember } from './object.ts';
import { Refusal } from './refusal.ts';

export class PartialReader {
  readonly #fields: readonly string[];
  readonly #scanner: JsonScanner;

  constructor(fields: readonly string[]) {
    this.#fields = fields;
    this.#scanner = new JsonScanner(fields);
  }

  /** An object with those of the fields that are there; the whole value where it is no object. Throws Refusal. */
  read(bytes: Buffer): unknown {
    const scanner = this.#scanner;
    const fault = scanner.scan(bytes);
    if (fault !== null) throw new Refusal('row_invalid', 'payload', `the record is not JSON: ${fault}`);
    if (!scanner.isObject) return parseJson(bytes.toString());
    const partial: Record<string, unknown> = {};
    for (let index = 0; index < this.#fields.length; index++) {
      const begin = scanner.begins[index]!;
      if (begin >= 0) setMember(partial, this.#fields[index]!, valueOf(bytes, begin, scanner.ends[index]!));
    }
    return partial;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function valueOf(bytes: Buffer, begin: number, end: number): unknown {
  if (bytes[begin] !== QUOTE) return parseJson(bytes.toString('utf8', begin, end));
  let allBytes = 0;
  for (let at = begin + 1; at < end - 1; at++) {
    if (bytes[at] === BACKSLASH) return JSON.parse(bytes.toString('utf8', begin, end));
    allBytes |= bytes[at]!;
  }
  return bytes.toString(allBytes < 0x80 ? 'latin1' : 'utf8', begin + 1, end - 1);
}
