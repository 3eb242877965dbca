/** Random mappings and records; a mapping carries the classes of difference from Segment that it may show. */
/* oxlint-disable unicorn/no-thenable -- `then` is an argument of @if, never a function */
import type { JsonValue } from '../../src/model/index.ts';
import type { Random } from './random.ts';
import type { MappingDifference } from './segment-mapping.ts';

export interface RandomMapping {
  readonly mapping: JsonValue;
  readonly classes: ReadonlySet<MappingDifference>;
}

/** A mapping that Segment's validation takes. */
export function randomMapping(random: Random): RandomMapping {
  const maker = new Maker(random);
  const mapping = maker.value(3);
  const text = JSON.stringify(mapping);
  if (/@flatten|@transform/.test(text) && /@arrayPath|\[/.test(text)) maker.classes.add('absent_in_list');
  return { mapping, classes: maker.classes };
}

/** An event in which any field may be missing or null. */
export function randomRecord(random: Random): { [key: string]: JsonValue } {
  const record: { [key: string]: JsonValue } = {};
  for (const [name, make] of Object.entries(recordFields)) {
    if (random.chance(0.12)) continue;
    record[name] = random.chance(0.08) ? null : make(random);
  }
  if (random.chance(0.02)) record.hostile = JSON.parse('{"__proto__":{"x":1},"a":2}') as JsonValue;
  return record;
}

/** The field of a record that holds numbers whose digits a double does not keep. */
export const longDigits = '{"big":12345678901234567890,"one":1.0}';

const texts = [
  'Order Completed',
  'a-b-c',
  'éÄ ß',
  '',
  'x',
  '5',
  'true',
  '{"a":[1,"b"]}',
  'null',
  '[1',
  '😀 ok',
  'A.B$1',
];

const recordFields: { readonly [name: string]: (random: Random) => JsonValue } = {
  type: (random) => random.pick(['track', 'identify', 'page']),
  event: (random) => random.pick(texts),
  userId: (random) => `u${random.below(100)}`,
  n: (random) => random.pick([0, 1, -5, 2.5, 1e21, 1e-7]),
  flag: (random) => random.chance(0.5),
  'with.dot': () => 'dotted',
  'sp ace': () => 'spaced',
  properties: (random) => ({
    total: random.pick([0, 9.99, null]),
    name: random.pick(texts),
    empty: {},
    none: [],
    deep: { er: { est: random.below(10) }, list: [1, [2, 3], { k: null }] },
  }),
  items: (random) =>
    Array.from({ length: random.below(4) }, () =>
      random.chance(0.1) ? null : { sku: random.text(3), n: random.below(5), tags: ['a', 'b'] },
    ),
  numbers: (random) => Array.from({ length: random.below(4) }, () => random.pick([0, 1, 2.5, null])),
  json: (random) => (random.chance(0.03) ? longDigits : random.pick(texts)),
};

/** Paths that meet only objects, lists, null or nothing on their way, whatever the record. */
const safePaths = (
  '$.type|$.event|$.userId|$.n|$.flag|$.sp ace|$.properties|$.items|$.numbers|$.json|$.properties.total|' +
  '$.properties.name|$.properties.empty|$.properties.none|$.properties.deep.er.est|$.properties.deep.list[1][0]|' +
  '$.properties.deep.list.2.k|$.items[0].sku|$.items.1.tags[1]|$.numbers[0]|$.|.||event|properties.deep|$.missing|' +
  '$.missing.too|$.$.event|$.items[9].sku|$.with'
).split('|');

const oddPaths: readonly (readonly [string, MappingDifference])[] = [
  ['$.n.x', 'stops_at_falsy'],
  ['$.flag.a.b', 'stops_at_falsy'],
  ['$.event.length', 'foreign_members'],
  ['$.items.length', 'foreign_members'],
  ['$.properties.constructor.name', 'foreign_members'],
  ['$.toString', 'foreign_members'],
  ["$['with.dot']", 'quoted_bracket'],
  ['$.properties["deep"].er', 'quoted_bracket'],
  ['$', 'dollar_alone'],
];

const scalars: readonly JsonValue[] = ['text', '$.n', '{{n}}', '', 0, 7, -1.5, true, false, null];

class Maker {
  readonly classes = new Set<MappingDifference>();
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  value(depth: number): JsonValue {
    const random = this.#random;
    if (depth === 0 || random.chance(0.2)) return random.chance(0.7) ? this.path() : random.pick(scalars);
    if (random.chance(0.15)) return this.object(depth);
    if (random.chance(0.08)) return Array.from({ length: random.below(3) }, () => this.value(depth - 1));
    return this.directive(depth);
  }

  /** Only what is an object with one directive in it. */
  directive(depth: number): JsonValue {
    if (depth === 0) return this.path();
    const make = this.#random.pick(directiveMakers);
    return make(this, this.#random, depth - 1);
  }

  object(depth: number): JsonValue {
    const object: { [key: string]: JsonValue } = {};
    for (let index = this.#random.below(4); index > 0; index--)
      object[this.#random.pick(['a', 'b', 'c', 'n'])] = this.value(depth - 1);
    return object;
  }

  path(): JsonValue {
    return { '@path': this.pathText() };
  }

  pathText(): string {
    if (!this.#random.chance(0.04)) return this.#random.pick(safePaths);
    const [path, difference] = this.#random.pick(oddPaths);
    this.classes.add(difference);
    return path;
  }

  /** Where the root may be anything, any path in it may walk through text or 0. */
  anyRoot(value: JsonValue): JsonValue {
    for (const difference of anyRootDifferences) this.classes.add(difference);
    return value;
  }

  odd<T>(difference: MappingDifference, value: T): T {
    this.classes.add(difference);
    return value;
  }
}

const anyRootDifferences: readonly MappingDifference[] = [
  'stops_at_falsy',
  'foreign_members',
  'object_in_template',
  'path_not_text',
  'merge_not_object',
];

/** Shapes that meet no difference where the root is an object or null. */
const itemShapes: readonly { [key: string]: JsonValue }[] = [
  { '@path': '$.sku' },
  { s: { '@path': '$.sku' }, q: { '@path': '$.n' }, fixed: 'x', none: { '@path': '$.missing' } },
  { a: [{ '@path': '$.n' }, { '@path': '$.none' }] },
  { '@if': { exists: { '@path': '$.n' }, then: { '@path': '$.sku' }, else: { '@literal': 'none' } } },
  { '@excludeWhenNull': { k: { '@path': '$.sku' }, '': null } },
  { '@case': { operator: 'upper', value: { '@path': '$.sku' } } },
];

type Make = (maker: Maker, random: Random, depth: number) => JsonValue;

const directiveMakers: readonly Make[] = [
  (maker) => maker.path(),
  (maker) => maker.path(),
  function dynamicPath(maker, random) {
    const safe = { '@literal': random.pick(safePaths) };
    return { '@path': random.chance(0.8) ? safe : maker.odd('path_not_text', { '@path': '$.n' }) };
  },
  function template(maker, random) {
    let text = '';
    for (let index = random.below(4); index > 0; index--)
      text += random.pick(['a', ' ', '{x}', '}} ']) + placeholder(maker, random);
    return { '@template': random.chance(0.05) ? maker.odd('open_braces', `{{n${text}`) : text };
  },
  (maker, _random, depth) => ({ '@literal': maker.value(depth) }),
  function condition(maker, random, depth) {
    const argument: { [key: string]: JsonValue } = {};
    const name = random.pick(['exists', 'blank']);
    argument[name] = random.chance(0.9) ? maker.directive(depth) : random.pick([1, 'x', true]);
    if (random.chance(0.03)) argument[name] = maker.odd('falsy_condition', random.pick([0, '', false, null]));
    if (random.chance(0.9)) argument.then = maker.value(depth);
    if (random.chance(0.6)) argument.else = maker.directive(depth);
    if (random.chance(0.05)) argument.else = maker.odd('falsy_else', random.pick([0, '', false, null]));
    return { '@if': argument };
  },
  function letterCase(maker, random, depth) {
    const value = random.chance(0.9)
      ? maker.directive(depth)
      : random.chance(0.7)
        ? 'Some Text'
        : maker.odd('empty_literal', '');
    return { '@case': { operator: random.pick(['lower', 'upper']), value } };
  },
  function replace(maker, random, depth) {
    const value = random.chance(0.9)
      ? maker.directive(depth)
      : random.chance(0.8)
        ? 'a.b-c'
        : maker.odd('empty_literal', '');
    const argument: { [key: string]: JsonValue } = {
      pattern: random.pick(['a', '.', '-', 'er', '$', 'É', '5']),
      value,
    };
    if (random.chance(0.7))
      argument.replacement = random.chance(0.9) ? random.pick(['', '_', 'xy']) : maker.odd('replacement_dollar', '$&');
    if (random.chance(0.3)) argument.pattern2 = random.pick(['_', 'x', '']);
    if (random.chance(0.2)) argument.replacement2 = 'Q';
    if (random.chance(0.3)) argument.ignorecase = random.chance(0.5);
    if (random.chance(0.3)) argument.global = random.chance(0.5);
    return { '@replace': argument };
  },
  function arrayPath(maker, random, depth) {
    if (random.chance(0.5)) return { '@arrayPath': ['$.items', random.pick(itemShapes)] };
    const source = random.chance(0.7)
      ? random.pick(['$.items', '$.numbers', '$.properties', '$.event', '$.missing'])
      : maker.path();
    if (random.chance(0.2)) return { '@arrayPath': [source] };
    const shape = random.chance(0.6) ? { s: { '@path': '$.sku' }, v: maker.value(depth) } : maker.directive(depth);
    return { '@arrayPath': [source, random.chance(0.05) ? {} : maker.anyRoot(shape)] };
  },
  function json(maker, random, depth) {
    const mode = random.pick(['encode', 'decode']);
    const value = random.chance(0.95) ? maker.directive(depth) : maker.odd('falsy_json', random.pick([0, false, null]));
    return { '@json': { mode, value } };
  },
  (maker, random, depth) => ({
    '@flatten': {
      separator: random.pick(['.', '_', '__']),
      value: maker.directive(depth),
      ...(random.chance(0.4) ? { omitArrays: random.chance(0.5) } : {}),
    },
  }),
  function merge(maker, random, depth) {
    const objects = Array.from({ length: random.below(4) }, () =>
      random.chance(0.5)
        ? { '@path': random.pick(['$.properties', '$.', '$.missing', '$.n', '$.flag']) }
        : plainObject(random),
    );
    const odd = random.chance(0.1);
    if (odd) objects.push(maker.odd('merge_not_object', { '@path': random.pick(['$.event', '$.items', '$.numbers']) }));
    else if (random.chance(0.1))
      objects.push(maker.odd('merge_absent', { n: maker.path(), k: maker.directive(depth) }));
    return { '@merge': { objects, direction: random.pick(['left', 'right']) } };
  },
  function transform(maker, random, depth) {
    if (random.chance(0.5))
      return {
        '@transform': {
          apply: { sku: maker.value(depth), n: maker.directive(depth) },
          mapping: random.pick(itemShapes),
        },
      };
    const apply = random.chance(0.5) ? { n: maker.value(depth), event: maker.value(depth) } : maker.directive(depth);
    return { '@transform': { apply, mapping: maker.anyRoot(maker.directive(depth)) } };
  },
  (maker, _random, depth) => ({ '@excludeWhenNull': maker.value(depth) }),
  (_maker, random) => ({ '@liquid': random.pick(liquids) }),
];

const liquids = [
  '',
  'plain',
  '{{ event | upcase }}-{{ n | plus: 1 }}',
  '{% if flag %}yes{% else %}no{% endif %} {{ properties.name | default: "none" }}',
  '{{ missing.too }}{{ userId | append: "!" | truncate: 4 }}',
  '{{ event | split: "-" | join: "+" }} {{ properties.total | round: 1 }}',
  '{% assign a = userId %}{{ a | replace: "u", "v" }}',
];

function placeholder(maker: Maker, random: Random): string {
  const braces = (path: string): string =>
    random.chance(0.2) ? `{{{${path}}}}` : `{{${random.chance(0.3) ? ` ${path} ` : path}}}`;
  if (random.chance(0.05)) return braces(maker.odd('dollar_in_template', '$.event'));
  if (random.chance(0.05))
    return braces(maker.odd('object_in_template', random.pick(['properties', 'items', 'properties.deep.er'])));
  return braces(random.pick(['event', 'n', 'flag', 'properties.name', 'missing', 'userId', 'type']));
}

function plainObject(random: Random): JsonValue {
  return random.pick<JsonValue>([{ a: 1, b: 2 }, { b: 3, total: 4 }, { event: 'merged' }, {}, { a: null }]);
}
