/** Random `message:` objects, sound and broken, in all of the mapping language. */
/* oxlint-disable unicorn/no-thenable -- `then` is an argument of @if, never a function */
import type { JsonValue } from '../../src/model/index.ts';
import type { Random } from './random.ts';

type Json = { [key: string]: JsonValue };

/** Mostly sound; with `breaks` something in it is changed at random. */
export function randomMessage(random: Random, breaks: boolean): Json {
  const message: Json = { topic: random.chance(0.5) ? 'orders' : topic(random) };
  for (const [name, make] of Object.entries(fields)) if (random.chance(0.35)) message[name] = make(random);
  const value = random.pick(['payload', 'columns', 'template', 'none']);
  if (value === 'payload') message.payload = mapping(random, 3);
  if (value === 'columns') message.columns = columns(random);
  if (value === 'template') Object.assign(message, template(random));
  if (random.chance(0.5)) message.meta_fields = false;
  return breaks ? (broken(random, message) as Json) : message;
}

const fields: { readonly [name: string]: (random: Random) => JsonValue } = {
  key: (random) => mapping(random, 2),
  partition: (random) => random.pick<JsonValue>([0, '3', '$.n', null, { '@path': '$.properties.total' }]),
  default_partition: (random) => random.pick<JsonValue>([1, '$.numbers[0]']),
  partition_key: (random) => mapping(random, 1),
  timestamp: (random) =>
    random.pick<JsonValue>([
      '$.n',
      '$.event',
      1714564800,
      '2024-05-01',
      { '@date': { value: '$.event', else: '$.n' } },
    ]),
  headers: (random) =>
    random.chance(0.2) ? '$.properties' : { a: mapping(random, 1), list: ['$.type', mapping(random, 1)], fixed: 'x' },
};

const paths = [
  ...'$.|$.type|$.event|$.n|$.flag|$.items|$.items[0].sku|$.properties.deep.er|$.properties.deep.list[1][0]'.split('|'),
  ..."$.missing|$['with.dot']|$.sp ace|$.hostile|$.__proto__|$.numbers|$.json|$.event.length|$.n.x|$.toString".split(
    '|',
  ),
];

const texts = ['plain', '', '{{event}}-{{n}}', 'a {{items}} {{{json}}}', '{{', '}} {x}', '{{ $.type }}', 'é😀'];

function mapping(random: Random, depth: number): JsonValue {
  if (depth === 0 || random.chance(0.3))
    return random.chance(0.6) ? random.pick(paths) : random.pick<JsonValue>([...texts, 0, 1.5, true, null]);
  if (random.chance(0.1)) return [mapping(random, depth - 1), mapping(random, depth - 1)];
  if (random.chance(0.15)) return { a: mapping(random, depth - 1), b: mapping(random, depth - 1) };
  return random.pick(directives)(random, () => mapping(random, depth - 1));
}

type Make = (random: Random, inner: () => JsonValue) => JsonValue;

const directives: readonly Make[] = [
  (random) => ({ '@path': random.pick(paths) }),
  (_random, inner) => ({ '@path': { '@template': '{{event}}', _metadata: inner() } }),
  (random) => ({ '@template': random.pick(texts) }),
  (_random, inner) => ({ '@literal': inner() }),
  (random, inner) => ({ '@if': { [random.pick(['exists', 'blank'])]: inner(), then: inner(), else: inner() } }),
  (_random, inner) => ({ '@coalesce': [inner(), inner()] }),
  (random) => ({ '@meta': random.pick(['operation', 'synced_at', 'position', 'run', 'message_id', 'namespace']) }),
  (random, inner) => ({
    '@case': { operator: random.pick(['lower', 'upper', 'snake', 'kebab', 'title']), value: inner() },
  }),
  (random, inner) => ({
    '@replace': {
      pattern: random.pick(['a', '.', '$&', 'É']),
      replacement: '$1',
      value: inner(),
      ignorecase: random.chance(0.5),
    },
  }),
  (random, inner) => ({ '@arrayPath': [random.pick(paths), { x: inner() }] }),
  (random, inner) => ({ '@json': { mode: random.pick(['encode', 'decode']), value: inner() } }),
  (random, inner) => ({ '@flatten': { separator: '.', value: inner(), omitArrays: random.chance(0.5) } }),
  (random, inner) => ({ '@merge': { objects: [inner(), inner()], direction: random.pick(['left', 'right']) } }),
  (_random, inner) => ({ '@transform': { apply: inner(), mapping: inner() } }),
  (_random, inner) => ({ '@excludeWhenNull': inner() }),
  (random) => ({ '@mustache': mustache(random) }),
  (random) => ({
    '@liquid': random.pick([
      '{{ event | upcase }}',
      '{% if flag %}{{ n | plus: 1 }}{% endif %}',
      '{{ items | json }}',
      '{{ n | divided_by: 0 }}',
      '{% increment n %}{% decrement event %}',
      '{{ event | date: "%s" }}',
    ]),
  }),
  (_random, inner) => ({
    '@lookup': { value: inner(), table: { track: 1, '1': inner(), '': 'empty' }, else: inner() },
  }),
  (random, inner) => ({
    [random.pick(['@number', '@boolean', '@string'])]: random.chance(0.5) ? { value: inner(), else: inner() } : '$.n',
  }),
  (random, inner) => ({
    '@date': {
      value: inner(),
      to: random.pick(['iso', 's', 'yyyy-MM-dd']),
      zone: random.pick(['UTC', 'Europe/Berlin']),
      else: inner(),
    },
  }),
  (random, inner) => ({ '@hash': { value: inner(), algorithm: random.pick(['md5', 'sha256']) } }),
  (_random, inner) => ({ '@uuid': { from: [inner(), inner()], namespace: 'dns' } }),
  (random) => ({ '@pattern': random.pick(['{namespace}.{stream}', 'x{stream']) }),
];

function topic(random: Random): JsonValue {
  return random.pick<JsonValue>([
    'web.{{type}}',
    '$.event',
    { '@pattern': '{namespace}_{stream}' },
    { types: { track: 'tracks', identify: '$.userId' }, default: { '@case': { operator: 'snake', value: '$.event' } } },
    { integrations: true, events: { x: 'ex' }, operations: { created: 'new' } },
  ]);
}

function columns(random: Random): JsonValue {
  return ['type', 'n', 'event', 'properties', '__proto__'].map((from, index) => {
    const column: Json = { from, to: random.pick([`c${index}`, `o.${from}`, `p\\.${index}`]) };
    if (random.chance(0.4)) column.type = random.pick(['text', 'number', 'bool', 'date', 'json']);
    if (random.chance(0.2)) column.trim = true;
    if (random.chance(0.2)) column.replace = [{ find: '-', with: '$&' }];
    if (random.chance(0.2)) column.mandatory = random.pick([true, 'mark', 'reject']);
    if (random.chance(0.2)) column.leave_out_null = true;
    if (random.chance(0.2))
      column.when = [
        { if: random.pick(['type = "track"', 'n > 1', 'contains(event, "a")']), then: mapping(random, 1) },
      ];
    return column;
  });
}

function template(random: Random): Json {
  if (random.chance(0.3)) return { template: mustache(random), template_type: 'text' };
  const value = (): string =>
    random.pick([
      '{{n}}',
      '"{{event}} {{missing}}"',
      '[{{#items}}{"s": "{{sku}}", "n": {{n}}},{{/items}}]',
      '{{#flag}}1{{/flag}}{{^flag}}{"no": "{{json}}"}{{/flag}}',
      '{{#properties}}{{name}}{{/properties}}',
      'true',
    ]);
  const member = (index: number): string => `"k${index}{{type}}": ${value()}`;
  const optional = random.pick(['', '{{#flag}}"f": {{.}},{{/flag}}', '{{^numbers}}"none": 0{{/numbers}}']);
  return { template: `{${optional}${[0, 1, 2].map(member).join(', ')}}` };
}

/** Mustache text from pieces, often not sound. */
export function mustache(random: Random): string {
  let text = '';
  for (let count = random.below(8); count > 0; count--) text += random.pick(pieces);
  return text;
}

const pieces = [
  ...'{{n}}|{{event}}|{{#items}}|{{/items}}|{{#flag}}|{{/flag}}|{{^flag}}|{{.}}|{{{json}}}|{{&n}}|{{! c }}|"|,|:|{|}|[|]|1|\n'.split(
    '|',
  ),
  ...'true|\\|\\n| |a|{{#items}}{{sku}},{{/items}}|"{{event}}"|"k":|{{=<% %>=}}|{{> p}}|{{|}}|😀|{{#numbers}}{{.}}{{/numbers}}'.split(
    '|',
  ),
];

/** The value with a few random changes anywhere in it. */
export function broken(random: Random, value: JsonValue): JsonValue {
  const copy = structuredClone(value);
  for (let count = random.between(1, 3); count > 0; count--) change(random, copy);
  return copy;
}

function change(random: Random, whole: JsonValue): void {
  let place = whole;
  for (;;) {
    if (typeof place !== 'object' || place === null) return;
    const keys = Object.keys(place);
    if (keys.length === 0) return;
    const key = random.pick(keys);
    const holder = place as Json;
    const inner = holder[key]!;
    if (typeof inner === 'object' && inner !== null && random.chance(0.7)) {
      place = inner;
      continue;
    }
    const kind = random.below(4);
    if (kind === 0 && Array.isArray(place)) place.pop();
    else if (kind === 0) delete holder[key];
    else if (kind === 1)
      holder[key] = structuredClone(random.pick(junk)); // else junk could come to hold itself
    else if (kind === 2) holder[random.pick(['@path', '@if', '@nope', 'x', '', '@literal', 'then'])] = inner;
    else holder[key] = mustache(random);
    return;
  }
}

const junk: JsonValue[] = [
  null,
  0,
  -1,
  '',
  'x',
  '$.',
  '$.a..b',
  '$.[',
  '{{a..b}}',
  [],
  {},
  { '@path': 5 },
  { '@merge': {} },
  true,
  [[]],
  'a b',
];
