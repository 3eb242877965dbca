/** YAML or JSON text to plain values: safe schema, no tags, bounded size and aliases, digits kept, places remembered. */
import {
  isAlias,
  type Alias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  type Document,
  type Node,
  type Pair,
} from 'yaml';
import { isJsonNumber, parseJson, rawNumber } from '../base/json.ts';
import type { JsonObject, JsonValue, Problem } from '../model/index.ts';
import { childPath } from './report.ts';

export interface TextDocument {
  readonly value: JsonValue;
  /** Line and column of every path: `12:5`. */
  readonly places: ReadonlyMap<string, string>;
}

export interface ReadText {
  readonly documents: readonly TextDocument[];
  readonly problems: readonly Problem[];
}

/** S25: what a hostile or broken file may cost. */
export const MAX_TEXT_BYTES = 1024 * 1024;
const MAX_NODES = 200_000;
const MAX_DEPTH = 100;
const MAX_ALIASES = 1000;

/** Reads one text; `name` is what its problems call it. Several YAML documents may follow one another. */
export function readDocuments(text: string, name: string): ReadText {
  if (Buffer.byteLength(text) > MAX_TEXT_BYTES) {
    const reason = `is larger than ${MAX_TEXT_BYTES} bytes.`;
    return failed({ path: name, reason, remedy: 'Split it into several files and apply one after the other.' });
  }
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, {
    lineCounter: lines,
    version: '1.2',
    schema: 'core',
    resolveKnownTags: false,
    merge: true,
    prettyErrors: false,
    logLevel: 'silent',
  });
  const documents = Array.isArray(parsed) ? parsed : [];
  const problems = documents.flatMap((document) => syntaxProblems(document, text, name, lines));
  if (problems.length === 0) return convertAll(documents, name, lines);
  return asJson(text) ?? { documents: [], problems };
}

/** JSON that YAML does not take, such as one indented by tabs. */
function asJson(text: string): ReadText | null {
  if (!text.trimStart().startsWith('{')) return null;
  try {
    return { documents: [{ value: parseJson(text) as JsonValue, places: new Map() }], problems: [] };
  } catch {
    return null;
  }
}

/** All faults that stand alone, but only the first of grammar: what follows it is mostly its consequence. */
function syntaxProblems(document: Document.Parsed, text: string, name: string, lines: LineCounter): Problem[] {
  const faults = [...document.errors, ...document.warnings];
  const first = faults.find(({ code }) => !standsAlone(code));
  const told = faults.filter((fault) => standsAlone(fault.code) || fault === first);
  return told.map((fault) => {
    const { line, col } = lines.linePos(fault.pos[0]);
    const reason = `is no valid YAML: ${said(fault)}.`;
    const remedy = remedies[fault.code] ?? remedyForLine(text.split('\n')[line - 1] ?? '');
    return { path: name, reason, remedy, place: `${name}:${line}:${col}` };
  });
}

/** Promise 8: without what the reader quotes of the text. A password that begins with `!`, `|` or `>` is such a fault. */
function said({ code, message }: { readonly code: string; readonly message: string }): string {
  if (code === 'TAG_RESOLVE_FAILED') return 'Unresolved tag, or text that begins with ! and has no quotes';
  const quoted = /(?<=[\w)]): [^]*$|(?<=^Unknown directive|^Invalid escape sequence) [^]*$/;
  return message.replace(quoted, '').replace(/\.$/, '');
}

function standsAlone(code: string): boolean {
  return code === 'DUPLICATE_KEY' || code === 'TAG_RESOLVE_FAILED';
}

function remedyForLine(line: string): string {
  if (/[{[,].*[^'"]\$\{/.test(line)) return "Within { } and [ ], put a reference in quotes: '${NAME}'.";
  if (/:\s*@/.test(line)) return 'Put text that begins with @ in quotes.';
  return 'Look at that line and the one before it: indentation, quotes, colons.';
}

const remedies: Partial<Record<string, string>> = {
  DUPLICATE_KEY: 'Each name may stand once in an object: take one of the two out.',
  TAG_RESOLVE_FAILED: 'Tags (`!name`) are not taken: write the value itself, in quotes where it begins with !.',
  TAB_AS_INDENT: 'YAML is indented by spaces, not tabs.',
};

function convertAll(documents: readonly Document.Parsed[], name: string, lines: LineCounter): ReadText {
  const converted: TextDocument[] = [];
  const problems: Problem[] = [];
  for (const document of documents) {
    if (document.contents === null) continue;
    const converter = new Converter(document, lines);
    try {
      const value = converter.convert(document.contents, '', 0);
      if (value !== null) converted.push({ value, places: converter.places });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      problems.push({ path: name, reason: error.message, remedy: error.remedy, place: `${name}:${error.place}` });
    }
  }
  return { documents: converted, problems };
}

class Refused extends Error {
  readonly remedy: string;
  readonly place: string;

  constructor(message: string, remedy: string, place: string) {
    super(message);
    this.remedy = remedy;
    this.place = place;
  }
}

/** Walks the nodes of one document; aliases are followed, and counted, as often as they stand. */
class Converter {
  readonly places: Map<string, string> = new Map();
  readonly #document: Document.Parsed;
  readonly #lines: LineCounter;
  #nodes = 0;
  #aliases = 0;

  constructor(document: Document.Parsed, lines: LineCounter) {
    this.#document = document;
    this.#lines = lines;
  }

  convert(node: Node | null, path: string, depth: number): JsonValue {
    if (node === null) return null;
    if (++this.#nodes > MAX_NODES)
      this.#refuse(node, `holds more than ${MAX_NODES} values, aliases followed.`, 'Use fewer aliases.');
    if (depth > MAX_DEPTH) this.#refuse(node, `is nested deeper than ${MAX_DEPTH} levels.`, 'Make it flatter.');
    if (node.tag !== undefined && !node.tag.startsWith('tag:yaml.org,2002:'))
      this.#refuse(node, `has the tag ${node.tag}.`, remedies['TAG_RESOLVE_FAILED']!);
    this.#note(node, path);
    if (isAlias(node)) return this.#follow(node, path, depth);
    if (isMap(node)) return this.#object(node.items as Pair<Node, Node | null>[], path, depth);
    if (isSeq(node)) {
      return node.items.map((item, index) => this.convert(item as Node | null, childPath(path, index), depth + 1));
    }
    return isScalar(node) ? scalarValue(node.value, node.source) : null;
  }

  #follow(alias: Alias, path: string, depth: number): JsonValue {
    if (++this.#aliases > MAX_ALIASES) {
      this.#refuse(alias, `follows more than ${MAX_ALIASES} aliases.`, 'Write out what they stand for.');
    }
    const target = alias.resolve(this.#document);
    if (target !== undefined) return this.convert(target, path, depth + 1);
    return this.#refuse(alias, 'has an alias (`*name`) of nothing.', 'Name an anchor (`&name`) that stands before it.');
  }

  #object(pairs: readonly Pair<Node, Node | null>[], path: string, depth: number): JsonObject {
    const entries = new Map<string, JsonValue>();
    const merged: JsonObject[] = [];
    for (const { key, value } of pairs) {
      if (!isScalar(key)) {
        this.#refuse(key, 'has a name that is no plain text.', 'Write each name as a word, in quotes if need be.');
      }
      if (key.source === '<<' && key.type === 'PLAIN') {
        merged.push(...this.#merged(value, path, depth));
        continue;
      }
      const name = typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
      const place = childPath(path, name);
      entries.set(name, this.convert(value, place, depth + 1));
      this.#note(key, place);
    }
    // What stands beside a merge wins, and of several merges the first.
    const all = [...merged.reverse().flatMap((one) => Object.entries(one)), ...entries];
    return Object.fromEntries(all);
  }

  #merged(value: Node | null, path: string, depth: number): JsonObject[] {
    const read = this.convert(value, path, depth + 1);
    const objects = Array.isArray(read) ? read : [read];
    return objects.map((one) => {
      if (typeof one === 'object' && one !== null && !Array.isArray(one)) return one;
      return this.#refuse(value, 'merges (`<<`) what is no object.', 'Merge an alias of an object.');
    });
  }

  #note(node: Node, path: string): void {
    this.places.set(path, this.#place(node));
  }

  #place(node: Node | null): string {
    const { line, col } = this.#lines.linePos(node?.range?.[0] ?? 0);
    return `${line}:${col}`;
  }

  #refuse(node: Node | null, reason: string, remedy: string): never {
    throw new Refused(reason, remedy, this.#place(node));
  }
}

function scalarValue(value: unknown, source: string | undefined): JsonValue {
  if (typeof value !== 'number') return typeof value === 'string' || typeof value === 'boolean' ? value : null;
  if (source !== undefined && String(value) !== source && isJsonNumber(source)) return rawNumber(source) as JsonValue;
  // YAML's own .inf and .nan are no JSON.
  return Number.isFinite(value) ? value : (source ?? String(value));
}

function failed(problem: Problem): ReadText {
  return { documents: [], problems: [problem] };
}
