/** Things in a trigger and a message that are allowed and probably not meant. */
import type { JsonValue, MessageConfig } from '../model/index.ts';
import { isObject } from './directive.ts';
import { directives } from './directives/index.ts';
import { lintTrigger } from './triggers/index.ts';

export interface Lint {
  /** Where, from the sync: `message`, `headers`, `tenant`. */
  readonly path: readonly (string | number)[];
  /** The rest of a sentence that begins with the path. */
  readonly reason: string;
  readonly remedy: string;
}

/** Of a sync whose trigger and message are sound. */
export function lintSync(trigger: string | null, message: MessageConfig, kind: 'rows' | 'events'): Lint[] {
  const ofMessage = lintMessage(message).map((lint) => ({ ...lint, path: ['message', ...lint.path] }));
  return [...(trigger === null ? [] : lintCondition(trigger, kind)), ...ofMessage];
}

/** The paths begin below `message`. */
export function lintMessage(message: MessageConfig): Lint[] {
  const lints: Lint[] = [];
  const hashed = (message.partition_key ?? null) !== null || (message.key ?? null) !== null;
  const ofAll = message.default_partition !== undefined && message.default_partition_for !== 'keyless';
  if (ofAll && hashed)
    lints.push({
      path: ['default_partition'],
      reason: 'goes before the hash of the key, so messages with a key go to it too.',
      remedy: 'Add default_partition_for: keyless to keep it to messages without a key.',
    });
  for (const field of ['key', 'partition_key'] as const) lintFixed(message[field], field, lints);
  for (const field of ['topic', 'key', 'partition_key', 'timestamp', 'headers', 'payload'] as const)
    lintText(message[field], [field], lints);
  return lints;
}

/** As one line: `key: is the same …`. */
export function lintLine({ path, reason, remedy }: Lint): string {
  const at = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');
  return `${at.slice(1)}: ${reason} ${remedy}`;
}

/** A key that does not depend on the record. What only looks like a path is told by `lintText`. */
function lintFixed(value: JsonValue | undefined, field: 'key' | 'partition_key', lints: Lint[]): void {
  if (typeof value !== 'string' || value.startsWith('$.') || value.includes('{{') || looksLike(value) !== null) return;
  const what = value === '' ? 'is the empty text' : `is the text ${JSON.stringify(value)}`;
  const path = /^[A-Za-z_]\w*$/.test(value)
    ? `Write $.${value} for the field of that name`
    : 'Write a path such as $.id';
  lints.push({
    path: [field],
    reason: `${what}, the same for all messages, so all of them go to one partition.`,
    remedy: value === '' ? `Leave ${field} out for none.` : `${path}, or leave ${field} out.`,
  });
}

/** Text that looks like a path or a template and is neither. Inside @literal text is meant as it is. */
function lintText(value: JsonValue | undefined, path: readonly (string | number)[], lints: Lint[]): void {
  if (typeof value === 'string') {
    const remedy = looksLike(value);
    if (remedy !== null) lints.push({ path, reason: `is the plain text ${JSON.stringify(value)}.`, remedy });
  } else if (Array.isArray(value)) value.forEach((item, index) => lintText(item, [...path, index], lints));
  else if (isObject(value))
    for (const name of Object.keys(value)) {
      if (name === '@literal' || name === '@pattern') continue;
      const directive = directiveLike(name);
      if (directive !== null)
        lints.push({
          path: [...path, name],
          reason: 'is an ordinary field.',
          remedy: `The directive is ${directive}.`,
        });
      lintText(value[name], [...path, name], lints);
    }
}

/** The directive that a name is but for its case: `@Path` is none. */
function directiveLike(name: string): string | null {
  if (!name.startsWith('@') || directives.has(name)) return null;
  const plain = name.toLowerCase();
  return [...directives.keys()].find((one) => one.toLowerCase() === plain) ?? null;
}

function looksLike(text: string): string | null {
  if (/^\$(?:\[|[A-Za-z_][\w.]*$)/.test(text)) return 'A path begins with "$.".';
  if (/^\{[A-Za-z_][\w.]*\}$/.test(text)) return 'A template has two braces on each side.';
  if (text.includes('{{') && !/\{\{[^{}]+\}\}/.test(text)) return 'Its braces are not closed.';
  return null;
}

/** Only events come from Segment's users: for rows its evaluator says nothing. */
function lintCondition(trigger: string, kind: 'rows' | 'events'): Lint[] {
  const path = ['trigger'];
  const lints: Lint[] = [];
  const segment: string[] = [];
  for (const { rule, message, line, column, offset } of lintTrigger(trigger)) {
    const place = `line ${line}, column ${column}`;
    const bare = rule === 'path_as_text' ? /^[A-Za-z_][\w.]*/.exec(trigger.slice(offset))?.[0] : undefined;
    if (bare !== undefined)
      lints.push({
        path,
        reason: `compares with the field ${bare} (${place}).`,
        remedy: `Write "${bare}" in quotes if the text is meant.`,
      });
    else if (rule === 'never_true')
      lints.push({
        path,
        reason: `has a part that never passes (${place}): ${message}.`,
        remedy: 'Change it, or take it out.',
      });
    else segment.push(`${place}: ${message}`);
  }
  if (kind === 'rows' || segment.length === 0) return lints;
  const others = segment.length - 1;
  const more = others === 0 ? '' : ` (and in ${others} more ${others === 1 ? 'place' : 'places'})`;
  const remedy = 'Nothing is to be done unless it was brought from there.';
  return [...lints, { path, reason: `would do otherwise in Segment, ${segment[0]!}${more}.`, remedy }];
}
