/** `@meta`: what is known of the record and is not in it. */
import { suggest } from '../../base/suggest.ts';
import type { JsonValue, Problem } from '../../model/index.ts';
import type { Directive } from '../directive.ts';
import { computed, type Evaluate, type Expression } from '../expression.ts';
import { syncedAtOf } from '../synced-at.ts';

const readers: ReadonlyMap<string, Evaluate> = new Map<string, Evaluate>([
  ['operation', (_root, record) => record.operation],
  ['synced_at', (_root, record, context) => syncedAtOf(record, context)],
  ['sync', (_root, _record, context) => context.sync],
  ['source', (_root, _record, context) => context.source],
  ['stream', (_root, record) => record.stream],
  ['namespace', (_root, record) => record.namespace],
  ['position', (_root, record) => record.position],
  ['run', (_root, _record, context) => context.run],
  ['message_id', (_root, record) => record.messageId],
]);

export const metaDirective: Directive = {
  name: '@meta',
  summary: 'What is known of the record and is not in it.',
  docs: [
    `The argument is one of ${[...readers.keys()].map((name) => `\`${name}\``).join(', ')}. \`synced_at\` is the time the run was`,
    'triggered, for an event the time it was received; what does not apply (`run` for an event, `message_id` for a row) is null.',
  ].join('\n'),
  example: { mapping: { '@meta': 'operation' }, record: { id: 1 }, result: 'created' },
  check(argument: unknown, at: string): Problem[] {
    if (typeof argument === 'string' && readers.has(argument)) return [];
    const near = typeof argument === 'string' ? suggest(argument, readers.keys()) : null;
    return [
      {
        path: at,
        reason: `${JSON.stringify(argument)} is not a name that @meta knows`,
        remedy: near === null ? `use one of ${[...readers.keys()].join(', ')}` : `did you mean "${near}"?`,
      },
    ];
  },
  compile: (argument: JsonValue): Expression => computed(readers.get(argument as string)!, []),
};
