/** The secrets of written objects: sealed to be stored, opened to be used, left out to be shown. */
import { HeadraceError, type JsonObject, type JsonValue, type WrittenObject } from '../model/index.ts';
import { isOneReference, parseReferences, type Part } from './references.ts';
import { At, type Report } from './report.ts';
import type { Sealer } from './seal.ts';
import { isObject } from './values.ts';
import { kindSpecs, objectPath } from './written.ts';

/** Stands for a secret that is not shown. Applied again, it keeps the secret that is stored. */
export const PLACEHOLDER = '******';

/** A secret as stored: what `Sealer.seal` made, and what an export shows in its place. */
interface SealedText {
  readonly '@sealed': string;
  readonly shown: string;
}

/** Secrets given in plain become sealed; one that is a reference alone stays as written. */
export function sealSecrets(object: WrittenObject, sealer: Sealer): WrittenObject {
  return changeSecrets(object, (value, path) => {
    if (typeof value !== 'string' || value === '' || !holdsPlainText(value)) return value;
    return { '@sealed': sealer.seal(value, path), shown: withoutPlainText(value) };
  });
}

/** The object with its secrets as they were written. One that cannot be opened is told, and is null then. */
export function openSecrets(object: WrittenObject, sealer: Sealer, report: Report): WrittenObject {
  return changeSecrets(object, (value, path) => {
    if (!isSealed(value)) return value;
    try {
      return sealer.open(value['@sealed'], path);
    } catch (error) {
      if (!(error instanceof HeadraceError)) throw error;
      new At(report, path).problem(error.message, error.remedy ?? '', 'config_unresolved');
      return null;
    }
  });
}

/** The object as it may be shown: references as written, the placeholder for all that a secret holds in plain. */
export function hideSecrets(object: WrittenObject): WrittenObject {
  return changeSecrets(object, (value) => {
    if (isSealed(value)) return value.shown;
    return typeof value === 'string' && value !== '' ? withoutPlainText(value) : value;
  });
}

/**
 * The object with each placeholder of an export replaced by the stored secret that it stands for. One that stands for
 * nothing is told.
 */
export function keepSecrets(object: WrittenObject, stored: WrittenObject | undefined, report: Report): WrittenObject {
  const known = stored === undefined ? new Map<string, string>() : secretsOf(stored);
  return changeSecrets(object, (value, path) => {
    if (typeof value !== 'string' || !value.includes(PLACEHOLDER)) return value;
    const secret = known.get(path);
    if (secret !== undefined && withoutPlainText(secret) === value) return secret;
    return (
      new At(report, path).problem(
        `has ${PLACEHOLDER}, which stands for a secret that an export left out, and there is none stored that it could mean.`,
        "Give the secret, or a reference such as '${NAME}'.",
      ) ?? value
    );
  });
}

/** A reference alone gives nothing away, unless it brings a default. */
function holdsPlainText(text: string): boolean {
  const [first] = parseReferences(text);
  return !isOneReference(text) || (first?.kind === 'variable' && (first.fallback ?? '') !== '');
}

/** `a${NAME}b` becomes `******${NAME}******`, `${NAME:-default}` becomes `${NAME:-******}`. */
function withoutPlainText(text: string): string {
  return parseReferences(text).map(shownPart).join('');
}

function shownPart(part: Part): string {
  if (part.kind === 'file') return `\${file:${part.path}}`;
  if (part.kind !== 'variable') return PLACEHOLDER;
  if (part.fallback === null) return `\${${part.name}}`;
  return `\${${part.name}:-${part.fallback === '' ? '' : PLACEHOLDER}}`;
}

function secretsOf(object: WrittenObject): Map<string, string> {
  const secrets = new Map<string, string>();
  changeSecrets(object, (value, path) => {
    if (typeof value === 'string') secrets.set(path, value);
    return value;
  });
  return secrets;
}

function changeSecrets(object: WrittenObject, change: (value: JsonValue, path: string) => JsonValue): WrittenObject {
  const { kind, name, body } = object;
  const changed = kindSpecs[kind].changeLeaves?.(body, objectPath(kind, name), (role, value, path) =>
    role === 'secret' ? change(value, path) : value,
  );
  return { kind, name, body: (changed ?? body) as JsonObject };
}

function isSealed(value: JsonValue): value is SealedText & JsonObject {
  return isObject(value) && typeof value['@sealed'] === 'string' && typeof value['shown'] === 'string';
}
