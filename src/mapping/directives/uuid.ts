/** `@uuid`: a UUID that the same values always give. */
import { hash } from 'node:crypto';
import type { JsonValue, Problem } from '../../model/index.ts';
import { isObject, type CheckTools, type CompileTools, type Directive } from '../directive.ts';
import { computed, unionFields, type Expression } from '../expression.ts';
import { textOf } from '../text.ts';
import { checkArguments } from './members.ts';

/** The name spaces of RFC 9562. */
const known: { readonly [name: string]: string } = {
  dns: '6ba7b810-9dad-11d1-80b4-00c04fd430c8',
  url: '6ba7b811-9dad-11d1-80b4-00c04fd430c8',
  oid: '6ba7b812-9dad-11d1-80b4-00c04fd430c8',
  x500: '6ba7b814-9dad-11d1-80b4-00c04fd430c8',
};

const uuidText = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export const uuidDirective: Directive = {
  name: '@uuid',
  summary: 'A UUID (version 5) that the same values always give.',
  docs: [
    `\`{from, namespace}\`: \`from\` is a value or a list of values, \`namespace\` a UUID or one of ${Object.keys(known).join(', ')} (oid when left out).`,
    'One value is taken as its text; several as the JSON list of their texts, so that ("a", "bc") and ("ab", "c") differ. When one of',
    'them is absent or null the result is absent.',
  ].join('\n'),
  example: {
    mapping: { '@uuid': { from: '$.host', namespace: 'dns' } },
    record: { host: 'www.example.com' },
    result: '2ed6657d-e927-568b-95e1-2665a8aea6a2',
  },
  check(argument: unknown, at: string, tools: CheckTools): Problem[] {
    const specs = { from: { kind: 'mapping', required: true }, namespace: { kind: 'text' } } as const;
    const problems = checkArguments(argument, at, specs, tools);
    if (problems.length > 0 || !isObject(argument)) return problems;
    const { from, namespace } = argument;
    if (Array.isArray(from) && from.length === 0)
      problems.push({ path: `${at}.from`, reason: 'the list is empty', remedy: 'name at least one value' });
    if (namespace !== undefined && !Object.hasOwn(known, namespace as string) && !uuidText.test(namespace as string))
      problems.push({
        path: `${at}.namespace`,
        reason: `"${namespace as string}" is no UUID`,
        remedy: `write a UUID or one of ${Object.keys(known).join(', ')}`,
      });
    return problems;
  },
  compile(argument: JsonValue, tools: CompileTools): Expression {
    const { from, namespace = 'oid' } = argument as { from: JsonValue; namespace?: string };
    const space = Buffer.from((known[namespace] ?? namespace).replaceAll('-', ''), 'hex');
    const values = (Array.isArray(from) ? from : [from]).map((value) => tools.mapping(value));
    return computed((root, record, context) => {
      const texts: string[] = [];
      for (const value of values) {
        const given = value.evaluate(root, record, context);
        if (given === undefined || given === null) return undefined;
        texts.push(textOf(given));
      }
      return versionFive(space, texts.length === 1 ? texts[0]! : JSON.stringify(texts));
    }, unionFields(values));
  },
};

function versionFive(namespace: Buffer, name: string): string {
  const digest = hash('sha1', Buffer.concat([namespace, Buffer.from(name)]), 'buffer');
  digest[6] = (digest[6]! & 0x0f) | 0x50;
  digest[8] = (digest[8]! & 0x3f) | 0x80;
  const hex = digest.toString('hex', 0, 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
