/** Things in a message that are allowed and probably not meant. */
import type { JsonValue, MessageConfig } from '../model/index.ts';
import { isObject } from './directive.ts';

/** One sentence each, beginning with the field. */
export function lintMessage(message: MessageConfig): string[] {
  const lints: string[] = [];
  const hashed = message.partition_key !== undefined || message.key !== undefined;
  if (message.default_partition !== undefined && message.default_partition_for !== 'keyless' && hashed)
    lints.push(
      'default_partition: it goes before the hash of the key, so messages with a key go to it too (default_partition_for: keyless keeps it to messages without a key)',
    );
  if (message.key === '') lints.push('key: it is the empty text, the same for all messages; leave key out for none');
  else if (isPlainText(message.key))
    lints.push('key: it is the same for all messages, so all of them go to one partition');
  for (const field of ['topic', 'key', 'partition_key', 'timestamp', 'headers', 'payload'] as const)
    lintText(message[field], field, lints);
  return lints;
}

function isPlainText(value: JsonValue | undefined): boolean {
  return typeof value === 'string' && !value.startsWith('$.') && !value.includes('{{');
}

/** Text that looks like a path or a template and is neither. Inside @literal text is meant as it is. */
function lintText(value: JsonValue | undefined, path: string, lints: string[]): void {
  if (typeof value === 'string') {
    const looks = looksLike(value);
    if (looks !== null) lints.push(`${path}: "${value}" is plain text; ${looks}`);
  } else if (Array.isArray(value)) value.forEach((item, index) => lintText(item, `${path}[${index}]`, lints));
  else if (isObject(value))
    for (const name of Object.keys(value))
      if (name !== '@literal' && name !== '@pattern') lintText(value[name], `${path}.${name}`, lints);
}

function looksLike(text: string): string | null {
  if (/^\$(?:\[|[A-Za-z_][\w.]*$)/.test(text)) return 'a path begins with "$."';
  if (/^\{[A-Za-z_][\w.]*\}$/.test(text)) return 'a template has two braces on each side';
  if (text.includes('{{') && !/\{\{[^{}]+\}\}/.test(text)) return 'its braces are not closed';
  return null;
}
