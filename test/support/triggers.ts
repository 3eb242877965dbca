/** Random triggers and random events that often meet: for differential tests, properties and fuzzing. */
import type { Expression, FunctionName } from '../../src/mapping/triggers/index.ts';
import type { JsonValue } from '../../src/model/index.ts';
import type { Random } from './random.ts';

const plainFields = [
  'type',
  'event',
  'name',
  'userId',
  'properties.n',
  'properties.s',
  'properties.b',
  'properties.missing',
  'properties.o.k',
  'context.page.path',
  'context.b',
  'traits.email',
  'traits.n',
];
const likely: Readonly<Record<string, readonly string[]>> = {
  type: ['"track"', '"track"', '"identify"'],
  event: ['"Order Completed"', '"Heartbeat"'],
  userId: ['"u1"', 'null'],
  'properties.n': ['5', '0', 'null', '10.5'],
  'properties.s': ['"a"', '"u1"', '""'],
  'properties.b': ['true', 'false', 'null'],
  'properties.missing': ['null'],
  'context.b': ['true', 'false'],
};
const oddFields = [
  'anonymousId',
  'messageId',
  'properties.arr',
  'properties.arr.0',
  'properties.arr[1]',
  'properties.product\\ 1.price',
  'properties.a\\.b',
  'properties.\\.',
  'properties',
  'properties.s.length',
  'properties.constructor.name',
  'propertiesX.n',
  'type.x',
  'context',
  'constructor',
  '$.event',
  'TYPE',
  'properties.null',
  'properties . n',
];
const texts = [
  'track',
  'identify',
  'Order Completed',
  'Heartbeat',
  'u1',
  'a',
  '',
  'null',
  'true',
  '5',
  '/home',
  'x@y.com',
];
const patterns = ['Order*', '*Completed', 'O*d', 'Or?er*', '[A-Z]*', '*', '*a*', 'u1', '*@y.com', 'Ord', '\\\\*', '?'];
const numbers = ['5', '0', '-1', '10.5', '1e3', '007', '+5', '12345678901234567890', '5.0', '-0', '.5'];

/** The text of a trigger: mostly well-formed, often in ways in which Segment's evaluator errs, sometimes broken. */
export function randomTrigger(random: Random): string {
  const text = condition(random, random.below(3));
  return random.chance(0.12) ? broken(random, text) : text;
}

function condition(random: Random, depth: number): string {
  const count = random.chance(0.4) ? 1 : random.between(2, 4);
  const clauses = Array.from({ length: count }, () => {
    if (depth === 0 || random.chance(0.7)) return clause(random);
    const negated = random.chance(0.2) ? '!' : '';
    return `${negated}(${pad(random)}${condition(random, depth - 1)}${pad(random)})`;
  });
  const usual = random.pick(['and', 'or']);
  return clauses.reduce((all, next) => {
    let word = random.chance(0.2) ? random.pick(['and', 'or']) : usual;
    if (random.chance(0.02)) word = word.toUpperCase();
    return `${all}${random.chance(0.97) ? ' ' : ''}${word} ${next}`;
  });
}

function clause(random: Random): string {
  const field = random.chance(0.85) ? random.pick(plainFields) : random.pick(oddFields);
  const kind = random.next();
  if (kind < 0.25) return call(random, field);
  if (kind < 0.28) return `${random.chance(0.5) ? '!' : ''}${field}`;
  if (kind < 0.31) return `${textValue(random)} in ${field}`;
  if (kind < 0.34) return `${field} in [${textValue(random)}, ${value(random)}]`;
  if (kind < 0.37)
    return `${random.pick(['length', 'lowercase', 'typeof', 'number', 'bool'])}(${field}) = ${value(random)}`;
  if (kind < 0.38) return `not ${field} = ${value(random)}`;
  const space = random.chance(0.9) ? ' ' : random.pick(['', '  ', '\t', '\n', '\r\n']);
  const operator = random.pick([
    '=',
    '=',
    '=',
    '!=',
    '!=',
    '>',
    '>=',
    '<',
    '<=',
    random.pick(['contains', '==', 'is_true']),
  ]);
  const right = random.chance(0.5) ? random.pick(likely[field] ?? ['null']) : value(random);
  return `${field}${space}${operator}${space}${right}`;
}

function call(random: Random, field: string): string {
  const name = random.pick(['contains', 'match', 'match']);
  const operand = name === 'match' ? quoted(random, random.pick(patterns)) : textValue(random);
  const negated = random.chance(0.25) ? '!' : '';
  return `${negated}${name}(${pad(random)}${field},${pad(random)}${operand}${pad(random)})`;
}

function value(random: Random): string {
  const kind = random.next();
  if (kind < 0.5) return textValue(random);
  if (kind < 0.7) return random.chance(0.7) ? random.pick(['5', '0', '10.5']) : random.pick(numbers);
  if (kind < 0.82) return random.pick(['true', 'false']);
  if (kind < 0.94) return 'null';
  return random.pick(plainFields);
}

function textValue(random: Random): string {
  return quoted(random, random.chance(0.03) ? 'a \\"q\\"' : random.pick(texts));
}

function quoted(random: Random, text: string): string {
  const quote = random.chance(0.92) ? '"' : "'";
  return `${quote}${text}${quote}`;
}

function pad(random: Random): string {
  return random.chance(0.3) ? ' ' : '';
}

const splinters = [
  ' ',
  '"',
  "'",
  '(',
  ')',
  '!',
  '=',
  '.',
  ',',
  '[',
  ']',
  '\\',
  ' and ',
  ' or ',
  'null',
  '-',
  '5',
  'a',
  'é',
  '\r',
  '<',
  '()',
];

/** One to three small wounds. */
export function broken(random: Random, text: string): string {
  let result = text;
  for (let wounds = random.between(1, 3); wounds > 0; wounds--) {
    const at = random.below(result.length + 1);
    const cut = random.chance(0.5) ? random.between(1, 3) : 0;
    const splinter = random.chance(0.7) ? random.pick(splinters) : '';
    result = result.slice(0, at) + splinter + result.slice(at + cut);
  }
  return result;
}

/** Text of no form at all, of characters and words that triggers are made of. */
export function randomJunk(random: Random, maxPieces: number): string {
  const words = [
    ...splinters,
    ...plainFields,
    ...oddFields,
    ...numbers,
    'contains(',
    'match(',
    'in',
    'true',
    'length(',
    '[a-',
    '*',
    '\u0000',
    '😀',
    '\ud800',
    '$.',
  ];
  return Array.from({ length: random.below(maxPieces + 1) }, () => random.pick(words)).join(random.pick(['', ' ']));
}

/** An event whose fields often equal what triggers look for; now and then of an odd shape. */
export function randomEvent(random: Random): JsonValue {
  const scalar = (): JsonValue => {
    const kind = random.next();
    if (kind < 0.5) return random.pick(texts);
    if (kind < 0.8) return random.pick([5, 0, -1, 10.5, 1000, 7]);
    return random.pick([true, false, null]);
  };
  const some = (entries: Record<string, () => JsonValue>, chance: number): Record<string, JsonValue> => {
    const object: Record<string, JsonValue> = {};
    for (const [key, make] of Object.entries(entries)) if (random.chance(chance)) object[key] = make();
    return object;
  };
  const odd = (make: () => JsonValue): JsonValue =>
    random.chance(0.04) ? random.pick<JsonValue>([0, '', false, null, 'text', [1], 7]) : make();
  const properties = (): JsonValue =>
    some(
      {
        n: scalar,
        s: scalar,
        b: scalar,
        o: () => odd(() => some({ k: scalar }, 0.8)),
        arr: () => Array.from({ length: random.below(3) }, scalar),
        'product 1': () => ({ price: scalar() }),
        'a.b': scalar,
        a: () => odd(() => some({ b: scalar }, 0.7)),
      },
      0.7,
    );
  return some(
    {
      type: () => random.pick(['track', 'track', 'identify', 'page']),
      event: () => random.pick(['Order Completed', 'Heartbeat', random.pick(texts)]),
      name: scalar,
      userId: () => (random.chance(0.7) ? 'u1' : scalar()),
      anonymousId: scalar,
      messageId: () => 'm1',
      properties: () => odd(properties),
      context: () => odd(() => some({ page: () => odd(() => some({ path: scalar }, 0.8)), b: scalar }, 0.8)),
      traits: () => odd(() => some({ email: scalar, n: scalar }, 0.8)),
    },
    0.85,
  );
}

const anywhere = { start: 0, end: 0 };
const unary: readonly FunctionName[] = [
  'length',
  'lowercase',
  'uppercase',
  'snakecase',
  'kebabcase',
  'titlecase',
  'typeof',
  'bool',
  'string',
  'number',
];
const keys = [
  'type',
  'event',
  'properties',
  'n',
  '0',
  'product 1',
  'a.b',
  '',
  'größe',
  '-',
  'in',
  'null',
  '$',
  '"',
  '\\',
  '\n',
  '😀',
  '\ud800',
  '__proto__',
  'rawJSON',
  'length',
];
const literals: readonly string[] = [
  ...texts,
  'a"b',
  "it's",
  '\\',
  '\\*',
  '\n\t\r',
  '\u0000\u2028',
  'é',
  '😀',
  '\udc00',
  '/',
];

/** A condition as the parser could have made it, with positions of 0. */
export function randomCondition(random: Random, depth: number): Expression {
  const kind = depth === 0 ? random.between(2, 4) : random.below(5);
  const inner = (): Expression => randomCondition(random, depth - 1);
  if (kind === 0)
    return {
      kind: random.pick(['and', 'or']),
      clauses: Array.from({ length: random.between(2, 3) }, inner),
      ...anywhere,
    };
  if (kind === 1) return { kind: 'not', clause: inner(), ...anywhere };
  if (kind === 2)
    return {
      kind: 'compare',
      operator: random.pick(['=', '!=', '>', '>=', '<', '<=', 'in']),
      left: randomOperand(random, depth),
      right: randomOperand(random, depth),
      ...anywhere,
    };
  if (kind === 3) return randomPath(random);
  return random.chance(0.5)
    ? { kind: 'call', name: 'contains', operands: [randomOperand(random, 0), randomOperand(random, 0)], ...anywhere }
    : { kind: 'call', name: 'match', operands: [randomPath(random), randomPath(random)], ...anywhere };
}

function randomOperand(random: Random, depth: number): Expression {
  const kind = random.below(depth === 0 ? 4 : 7);
  if (kind === 0) return randomPath(random);
  if (kind < 4) return { kind: 'literal', value: randomLiteral(random), ...anywhere };
  if (kind === 4)
    return { kind: 'call', name: random.pick(unary), operands: [randomOperand(random, depth - 1)], ...anywhere };
  if (kind === 5) return randomCondition(random, depth - 1);
  const items = Array.from({ length: random.below(3) }, () => randomOperand(random, depth - 1));
  return { kind: 'list', items, ...anywhere };
}

function randomPath(random: Random): Expression {
  return { kind: 'path', keys: Array.from({ length: random.between(1, 3) }, () => random.pick(keys)), ...anywhere };
}

function randomLiteral(random: Random): JsonValue {
  if (random.chance(0.5)) return random.pick(literals);
  return random.pick<JsonValue>([true, false, null, 0, 5, -1.5, 1e21, 1e-7, 123456789]);
}
