/** Mustache templates: as text like the reference implementation, as JSON always valid. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import mustache from 'mustache';
import { parseJson } from '../../base/json.ts';
import { contextOf, recordOf } from '../../../test/support/mapping.ts';
import { checkTemplateText, compileTemplate, type TemplateType } from '../fields/template.ts';

function render(
  template: string,
  data: unknown,
  type: TemplateType = 'json',
  kind: 'rows' | 'events' = 'rows',
): string {
  assert.deepEqual(checkTemplateText(template, type, 'm'), [], template);
  const bytes = compileTemplate(template, type, kind)(data, recordOf(data), contextOf());
  if (type === 'json') JSON.parse(bytes.toString());
  return bytes.toString();
}

test('values outside quotes are JSON, inside quotes escaped text', () => {
  const data = parseJson(
    '{"id":12345678901234567890,"name":"A \\"b\\"\\n","o":{"x":[1.50]},"n":null,"f":false,"é":"ü😀"}',
  );
  assert.equal(
    render(
      '{ "id": {{id}}, "s": "<{{name}}>", "o": {{{o}}}, "os": "{{o}}", "n": {{n}}, "none": {{none}}, "q": "{{none}}{{f}}", "é": "{{é}}😀\\u00e9\\n" }',
      data,
    ),
    '{"id":12345678901234567890,"s":"<A \\"b\\"\\n>","o":{"x":[1.50]},"os":"{\\"x\\":[1.50]}","n":null,"none":null,"q":"false","é":"ü😀😀\\u00e9\\n"}',
  );
  assert.equal(render('{{o.x.0}}', data), '1.50');
  assert.equal(render('["{{ $.name }}", {{.}}]', { name: 'x' }), '["x",{"name":"x"}]');
  assert.equal(render('{"{{name}}": 1}', { name: '__proto__' }), '{"__proto__":1}');
});

test('a row reads operation and synced_at, unless a column has the name', () => {
  const template = '{"o": "{{operation}}", "s": {{synced_at}}}';
  assert.equal(render(template, {}), '{"o":"created","s":"2024-05-01T00:00:00.000Z"}');
  assert.equal(render(template, { operation: 'mine' }), '{"o":"mine","s":"2024-05-01T00:00:00.000Z"}');
  assert.equal(render(template, {}, 'json', 'events'), '{"o":"","s":null}');
});

test('sections of lists and members need no care for commas', () => {
  const data = { items: [{ a: 1, b: 'x' }, { a: 2 }], none: [], yes: true, o: { a: 9 }, a: 'outer' };
  for (const template of [
    '[{{#items}}{"a": {{a}}, "b": "{{b}}"},{{/items}}]',
    '[{{#items}}{"a": {{a}}, "b": "{{b}}"}{{/items}}]',
    '[{{#items}},{"a": {{a}}, "b": "{{b}}"}{{/items}},]',
  ])
    assert.equal(render(template, data), '[{"a":1,"b":"x"},{"a":2,"b":""}]', template);
  assert.equal(render('[0, {{#items}}{{a}}{{/items}} {{^none}}7{{/none}} 9]', data), '[0,1,2,7,9]');
  assert.equal(render('{ {{#yes}}"x": 1,{{/yes}} {{#no}}"y": 2,{{/no}} "z": 3 }', data), '{"x":1,"z":3}');
  assert.equal(
    render('{"z": 3 {{#no}}, "y": 2{{/no}}{{#o}}, "a": {{a}}, "up": {{yes}}{{/o}}}', data),
    '{"z":3,"a":9,"up":true}',
  );
  assert.equal(render('{ {{#none}}"x": 1{{/none}} }', data), '{}');
  assert.equal(render('{ {{#none}}"x": 1,{{/none}} "z": 3 }', data), '{"z":3}');
  assert.equal(render('[{{#none}}1{{/none}}, 2]', data), '[2]');
  assert.equal(render('"{{#items}}{{a}}-{{/items}}{{^yes}}no{{/yes}}"', data), '"1-2-"');
  assert.equal(render('[{{#items}}{{#items}}{{a}}{{/items}}{{/items}}]', { items: [{ a: 1 }, { a: 2 }] }), '[1,2,1,2]');
});

test('where one value is expected a section gives exactly one', () => {
  const template = '{"v": {{#x}}{"is": {{.}}}{{/x}} {{^x}}"none"{{/x}}, "w": {{^x}}0{{/x}}, "u": {{#x}}[{{.}}]{{/x}}}';
  assert.equal(render(template, { x: 5 }), '{"v":{"is":5},"w":null,"u":[5]}');
  assert.equal(render(template, { x: [6, 7] }), '{"v":{"is":6},"w":null,"u":[6]}');
  assert.equal(render(template, {}), '{"v":"none","w":0,"u":null}');
  assert.equal(render('{{^x}}1{{/x}}{{#x}}2{{/x}}', parseJson('{"x":0.0}')), '1');
});

test('what might not be JSON is refused with its place', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['{"a": {{x}} "b": 1}', /line 1, column 13: a "," is missing/],
    ['{"a": {{x}}{{y}}}', /a "," is missing/],
    ['{"a": {{x}}', /"}" is missing at the end/],
    ['{"a": {{x}}]', /"]" is not expected/],
    ['{ {{x}}: 1}', /a name in quotes/],
    ['{"a" {{x}}}', /":" is missing/],
    ['{"a": "{{x}}}', /quote is not closed/],
    ['{"a": abc}', /"abc" is no JSON value/],
    ['{"a": 01}', /"01" is no JSON value/],
    ['{"a":\n  "x\ny"}', /line 2, column 5: a line break/],
    ['{"a": "\\{{x}}"}', /no JSON escape/],
    ['{{x}}{{y}}', /ends after one value/],
    ['', /no template text/],
    ['{{! only a comment }}', /has no value/],
    ['{"a": {{#x}}1, 2{{/x}}}', /name in quotes|one value|not expected/],
    ['{"a": {{#x}}{{/x}}}', /exactly one/],
    ['{"a": "{{#x}}"{{/x}}}', /end where it began/],
    ['[{{#x}}1]{{/x}}', /end where it began|not expected/],
    ['{ {{#x}}"a"{{/x}}: 1}', /end where it began/],
    ['{{> p}}', /no partials/],
    ['{{#a}}1', /Unclosed section/],
    ['{"a": {{a..b}}}', /does not read/],
    ['{"a": {{}}}', /name is missing/],
    ['[1,, 2]', /./],
  ];
  for (const [template, reason] of cases) {
    const problems = checkTemplateText(template, 'json', 'm');
    if (template === '[1,, 2]') assert.deepEqual(problems, []);
    else assert.match(problems[0]?.reason ?? 'accepted', reason, template);
  }
});

test('text mode renders as the reference implementation does, without HTML escapes', () => {
  const data = {
    n: 5,
    s: '<&>"',
    z: 0,
    e: '',
    nul: null,
    f: false,
    l: [{ a: 1, l2: ['x', 'y'] }, { a: 2 }],
    o: { a: 3, b: { c: 'deep' } },
  };
  for (const template of [
    'plain {{n}} {{{s}}} {{&s}} {{s}} {{missing}}{{nul}}',
    '{{#l}}{{a}}{{n}}:{{#l2}}[{{.}}{{a}}]{{/l2}};{{/l}}',
    '{{#o}}{{a}}{{b.c}}{{#b}}{{c}}{{a}}{{/b}}{{/o}} {{o.b.c}}',
    '{{^z}}zero{{/z}}{{^e}}empty{{/e}}{{^missing}}none{{/missing}}{{#f}}no{{/f}}{{^l}}no{{/l}}',
    'a\n  {{#l}}\n  - {{a}}\n  {{/l}}\nend {{! comment }}',
    '{{=<% %>=}}<%n%> {{n}}',
  ])
    assert.equal(render(template, data, 'text'), mustache.render(template, data, {}, { escape: String }), template);
  assert.equal(render('{{o}} {{l.0.l2}}', data, 'text'), '{"a":3,"b":{"c":"deep"}} ["x","y"]');
  assert.equal(render('{{s.length}}{{constructor}}{{o.toString}}', data, 'text'), '');
});

test('a bomb of nested sections is a refusal, not a hang', () => {
  const list = Array.from({ length: 200 }, () => 1);
  const template = `${'{{#l}}'.repeat(6)}x${'{{/l}}'.repeat(6)}`;
  assert.throws(() => render(template, { l: list }, 'text'), /go round more than/);
  assert.throws(() => render(`["${template}"]`, { l: list }), /go round more than/);
  assert.equal(checkTemplateText(`${'{{#l}}'.repeat(30)}${'{{/l}}'.repeat(30)}`, 'text', 'm').length, 1);
});
