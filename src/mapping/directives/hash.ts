/** `@hash`: a digest of a value. */
import { hash } from 'node:crypto';
import type { CheckTools, CompileTools, Directive } from '../directive.ts';
import type { JsonValue, Problem } from '../../model/index.ts';
import { computed, type Expression } from '../expression.ts';
import { textOf } from '../text.ts';
import { checkArguments, part, plain } from './members.ts';

const algorithms = ['sha256', 'sha512', 'sha1', 'md5'];
const encodings = ['hex', 'base64'];

export const hashDirective: Directive = {
  name: '@hash',
  summary: 'A digest of a value, such as SHA-256 of an e-mail address.',
  docs: [
    `\`{value, algorithm, encoding}\` with one of ${algorithms.join(', ')} (sha256 when left out) and hex (when left out) or base64.`,
    'The value is hashed as its text in UTF-8, objects and lists as their JSON. Absent stays absent, null stays null.',
  ].join('\n'),
  example: {
    mapping: { '@hash': { value: '$.email' } },
    record: { email: 'ann@example.org' },
    result: '438c4c7afe600cdf1e455c369bec76dc970fc8ca463447c7b387a347f3c79331',
  },
  check: (argument: unknown, at: string, tools: CheckTools): Problem[] =>
    checkArguments(
      argument,
      at,
      {
        value: { kind: 'mapping', required: true },
        algorithm: { kind: 'choice', choices: algorithms },
        encoding: { kind: 'choice', choices: encodings },
      },
      tools,
    ),
  compile(argument: JsonValue, tools: CompileTools): Expression {
    const value = part(argument, 'value', tools);
    const algorithm = plain(argument, 'algorithm', 'sha256');
    const encoding = plain(argument, 'encoding', 'hex') as 'hex' | 'base64';
    return computed((root, record, context) => {
      const given = value.evaluate(root, record, context);
      return given === undefined || given === null ? given : hash(algorithm, textOf(given), encoding);
    }, value.fields);
  },
};
