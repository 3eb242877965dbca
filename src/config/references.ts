/** References in configuration text: `${NAME}`, `${NAME:-default}`, `${file:/path}`; `$${` is a literal `${`. */
import { readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import type { JsonValue } from '../model/index.ts';
import { isRawNumber } from '../base/json.ts';
import { suggest } from '../base/suggest.ts';
import { At, Report } from './report.ts';

export type Part =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'variable'; readonly name: string; readonly fallback: string | null }
  | { readonly kind: 'file'; readonly path: string }
  /** `${` that begins no reference. */
  | { readonly kind: 'broken'; readonly text: string };

/** What references read. */
export interface ReferenceSource {
  variable(name: string): string | undefined;
  /** Names that exist, for "did you mean". */
  variableNames(): Iterable<string>;
}

const MAX_FILE_BYTES = 1024 * 1024;
const referencePattern = /\$\$\{|\$\{([^}]*)\}?/g;
const variablePattern = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([\s\S]*))?$/;
/** They open Headrace itself; no field of an object may carry them elsewhere. */
const closedVariables = new Set(['HEADRACE_SECRET_KEY', 'HEADRACE_TOKEN']);

/** The text in its parts; `$${` is part of a literal, unescaped. */
export function parseReferences(text: string): Part[] {
  if (!text.includes('${')) return [{ kind: 'literal', text }];
  const parts: Part[] = [];
  let literal = '';
  let end = 0;
  for (const match of text.matchAll(referencePattern)) {
    literal += text.slice(end, match.index);
    end = match.index + match[0].length;
    if (match[0] === '$${') {
      literal += '${';
      continue;
    }
    if (literal !== '') parts.push({ kind: 'literal', text: literal });
    literal = '';
    parts.push(parseOne(match[0], match[1] ?? ''));
  }
  literal += text.slice(end);
  if (literal !== '') parts.push({ kind: 'literal', text: literal });
  return parts;
}

/** Whether the whole text is one reference, so that nothing of it is given in plain. */
export function isOneReference(text: string): boolean {
  const [first, ...rest] = parseReferences(text);
  return rest.length === 0 && (first?.kind === 'variable' || first?.kind === 'file');
}

/** The text with the paths of its `${file:…}` made absolute relative to the folder. */
export function absoluteReferences(text: string, folder: string): string {
  if (!text.includes('${file:')) return text;
  return text.replace(referencePattern, (match: string, inner: string | undefined) => {
    if (match === '$${' || !match.endsWith('}') || inner?.startsWith('file:') !== true) return match;
    const path = inner.slice('file:'.length).trim();
    return path === '' || isAbsolute(path) ? match : `\${file:${resolve(folder, path)}}`;
  });
}

/**
 * A copy of the value with every reference resolved. Texts that hold one are noted in the report as referenced; what
 * does not resolve is told there and stays as written.
 */
export function resolveReferences(value: JsonValue, at: At, report: Report, source: ReferenceSource): JsonValue {
  if (typeof value === 'string') return resolveText(value, at, report, source);
  if (typeof value !== 'object' || value === null || isRawNumber(value)) return value;
  if (Array.isArray(value)) {
    return value.map((one, index) => resolveReferences(one, at.child(index), report, source));
  }
  const entries = Object.entries(value).map(([key, one]): [string, JsonValue] => [
    key,
    resolveReferences(one, at.child(key), report, source),
  ]);
  return Object.fromEntries(entries);
}

function resolveText(text: string, at: At, report: Report, source: ReferenceSource): string {
  if (!text.includes('${')) return text;
  const parts = parseReferences(text);
  if (parts.some(({ kind }) => kind !== 'literal')) {
    report.referenced.add(at.path);
    report.rereads.set(at.path, () => readAgain(parts, source));
  }
  let resolved = '';
  for (const part of parts) resolved += resolvePart(part, at, source) ?? '';
  return resolved;
}

/** What the parts read now; null when one cannot be read, or there is nothing: a file that is just being replaced. */
function readAgain(parts: readonly Part[], source: ReferenceSource): string | null {
  const report = new Report();
  const at = new At(report, '');
  let text = '';
  for (const part of parts) text += resolvePart(part, at, source) ?? '';
  return report.count > 0 || text === '' ? null : text;
}

function resolvePart(part: Part, at: At, source: ReferenceSource): string | undefined {
  if (part.kind === 'literal') return part.text;
  if (part.kind === 'file') return readReferencedFile(part.path, at);
  if (part.kind === 'broken') {
    return at.problem(
      // Never the text itself: it may be a password that happens to hold these two characters.
      'has `${` that begins no reference.',
      'A reference is ${NAME}, ${NAME:-default} or ${file:/path}; write $${ for a literal ${.',
      'config_unresolved',
    );
  }
  if (closedVariables.has(part.name)) {
    return at.problem(
      `may not read \`${part.name}\`.`,
      'Put the value into a variable of its own.',
      'config_unresolved',
    );
  }
  const value = source.variable(part.name);
  if (part.fallback !== null) return value === undefined || value === '' ? part.fallback : value;
  return value ?? tellMissingVariable(part.name, at, source);
}

function tellMissingVariable(name: string, at: At, source: ReferenceSource): undefined {
  const near = suggest(name, source.variableNames());
  const meant = near === null ? '' : `Did you mean \${${near}}? Otherwise set`;
  at.problem(
    `reads the environment variable ${name}, which is not set.`,
    `${meant === '' ? 'Set' : meant} ${name}, or give a default: \${${name}:-…}.`,
    'config_unresolved',
  );
}

function readReferencedFile(path: string, at: At): string | undefined {
  if (!isAbsolute(path)) {
    return at.problem(
      `reads the file ${path === '' ? 'of no name' : path}, whose path is not absolute.`,
      'Write ${file:/path} from the root on.',
      'config_unresolved',
    );
  }
  try {
    const facts = statSync(path);
    if (!facts.isFile()) throw new Error('it is no plain file');
    if (facts.size > MAX_FILE_BYTES) throw new Error(`it is larger than ${MAX_FILE_BYTES} bytes`);
    // Editors end files with a line break, which is no part of a password.
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    return at.problem(
      `reads the file ${path}, which cannot be read: ${causeOf(error)}.`,
      `Check that the file exists in ${dirname(path)} and that this user may read it.`,
      'config_unresolved',
    );
  }
}

function causeOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'it does not exist';
  if (code === 'EACCES') return 'this user may not';
  return code ?? message;
}

function parseOne(whole: string, inner: string): Part {
  if (!whole.endsWith('}')) return { kind: 'broken', text: whole };
  if (inner.startsWith('file:')) return { kind: 'file', path: inner.slice('file:'.length).trim() };
  const variable = variablePattern.exec(inner);
  if (variable === null) return { kind: 'broken', text: whole };
  return { kind: 'variable', name: variable[1]!, fallback: variable[2] ?? null };
}
