/** The grammar of triggers: what parses to what, and where an error is said to be. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rawNumber } from '../../base/json.ts';
import { formatTrigger, MAX_TRIGGER_DEPTH, MAX_TRIGGER_LENGTH, parseTrigger, triggerProblem } from './index.ts';
import type { TriggerError } from './errors.ts';
import type { Expression } from './syntax.ts';

test('`and` binds tighter than `or`, `!` tighter than both, and parentheses change it', () => {
  assert.equal(shape('a or b and c'), '(a or (b and c))');
  assert.equal(shape('a and b or c and d or e'), '((a and b) or (c and d) or e)');
  assert.equal(shape('(a or b) and c'), '((a or b) and c)');
  assert.equal(shape('!a and !(b or c)'), '(!a and !(b or c))');
  assert.equal(shape('!!a'), '!!a');
  assert.equal(shape('a and (b and c)'), '(a and (b and c))');
});

test('a path may have dots, escapes, indexes, quoted keys and the prefix `$.`', () => {
  const keys: [string, string[]][] = [
    ['properties.title', ['properties', 'title']],
    ['$.properties.title', ['properties', 'title']],
    ['properties.product\\ 1.price', ['properties', 'product 1', 'price']],
    ['properties.a\\.b', ['properties', 'a.b']],
    ['properties.arr.0', ['properties', 'arr', '0']],
    ['properties.arr[10].x', ['properties', 'arr', '10', 'x']],
    [`properties["a b"]['c\\'d']`, ['properties', 'a b', "c'd"]],
    ['$["größe"]', ['größe']],
    ['gr\\ö\\ße', ['größe']],
    ['a-b_C9.3d', ['a-b_C9', '3d']],
    ['\\in', ['in']],
    ['in.stock', ['in', 'stock']],
    ['properties.null', ['properties', 'null']],
    ['\\😀', ['😀']],
    ['\\3d', ['3d']],
  ];
  for (const [text, expected] of keys) {
    const condition = parse(text);
    assert.equal(condition.kind, 'path', text);
    assert.deepEqual(condition.kind === 'path' && condition.keys, expected, text);
  }
});

test('strings may stand in either quote and have escapes', () => {
  const strings: [string, string][] = [
    [`"it's"`, "it's"],
    [`'say "x"'`, 'say "x"'],
    [String.raw`"a \"q\""`, 'a "q"'],
    [String.raw`'it\'s'`, "it's"],
    [String.raw`"a\\b"`, 'a\\b'],
    [String.raw`"\n\r\t\u00e9\/"`, '\n\r\té/'],
    [String.raw`"a\*b\d"`, String.raw`a\*b\d`],
    ['"two\nlines"', 'two\nlines'],
    ['""', ''],
  ];
  for (const [text, expected] of strings) assert.deepEqual(rightOf(`event = ${text}`), expected, text);
});

test('numbers may be negative, have a fraction and an exponent, and keep digits that a double would lose', () => {
  assert.deepEqual(rightOf('n = -5'), -5);
  assert.deepEqual(rightOf('n = +5.50'), 5.5);
  assert.deepEqual(rightOf('n = 1e3'), 1000);
  assert.deepEqual(rightOf('n = 007'), 7);
  assert.ok(Object.is(rightOf('n = -0'), 0));
  assert.deepEqual(rightOf('n = 9007199254740993'), rawNumber('9007199254740993'));
  assert.deepEqual(rightOf('n = 0.10000000000000000001'), rawNumber('0.10000000000000000001'));
  assert.deepEqual(rightOf('n = 1E400'), rawNumber('1E400'));
});

test('parentheses may stand around every condition and value, and spaces are free', () => {
  assert.equal(print('( ( (type) = ("track") ) )and(((event="x")or(b)))'), 'type = "track" and (event = "x" or b)');
  assert.equal(print('type="track"and event\n!=\t"x"'), 'type = "track" and event != "x"');
  assert.equal(print('type in["a",null , 5,true]'), 'type in ["a", null, 5, true]');
  assert.equal(print('bool(a = b) = (c or d)'), 'bool(a = b) = (c or d)');
});

const errors: [text: string, line: number, column: number, expected: RegExp, message?: RegExp][] = [
  ['', 1, 1, /^a value or a condition$/, /found the end$/],
  ['type = ', 1, 8, /^a value$/, /found the end$/],
  ['type="track")', 1, 13, /`and`, `or` or the end/],
  ['and type="track"', 1, 1, /a value or a condition/],
  ['type="track" and', 1, 17, /a value or a condition/, /found the end/],
  ['type="track" AND event="x"', 1, 14, /`and`/, /write `and` in lower case/],
  ['type="track" OR event="x"', 1, 14, /`or`/, /write `or` in lower case/],
  ['not type="track"', 1, 5, /an operator/, /a negation is written `!\( … \)`/],
  ['event contains "x"', 1, 7, /an operator/, /write `contains\(event, …\)`/],
  ['a == 1', 1, 3, /an operator/, /written `=`/],
  ['a && b', 1, 3, /an operator/, /write `and`/],
  ['a <> b', 1, 3, /an operator/, /written `!=`/],
  ['!a = 1', 1, 4, /`and`, `or`/, /put the comparison into parentheses/],
  ['a = b = c', 1, 7, /`and`, `or`/, /do not chain/],
  ['userId = oops"', 1, 14, /a closing "/],
  ["event = 'it's'", 1, 13, /`and`, `or`/],
  ['"text"', 1, 1, /a condition/, /which is a string/],
  ['a and 5', 1, 7, /a condition/, /which is a number/],
  ['length(userId)', 1, 1, /a condition/, /which is a number: compare it/],
  ['!"x"', 1, 2, /a condition/],
  ['[1] or a', 1, 1, /a condition/, /which is a list/],
  ['contians(event, "x")', 1, 1, /a function/, /did you mean contains\?/],
  ['$.contains(event, "x")', 1, 1, /a function/],
  ['contains(event)', 1, 15, /takes 2 operands/],
  ['contains(event, "a", "b")', 1, 20, /takes 2 operands/],
  ['length()', 1, 8, /one operand for length/],
  ['match(event, "[a")', 1, 14, /a pattern/, /`\[` without `\]`/],
  ['match(event, "[^a]")', 1, 14, /a pattern/, /none of these/],
  ['match(event, "[z-a]")', 1, 14, /a pattern/, /backwards/],
  ['match(event, "[]")', 1, 14, /a pattern/],
  ['match(event, "a]")', 1, 14, /a pattern/],
  [String.raw`match(event, "a\\")`, 1, 14, /a pattern/, /ends with a backslash/],
  ['type in ("a", "b")', 1, 13, /`and`, `or` or `\)`/, /a list is written/],
  ['type in ["a" "b"]', 1, 14, /`,` or `\]`/],
  ['type in ["a",]', 1, 14, /a value/],
  ['(type = "a"', 1, 12, /`and`, `or` or `\)`/],
  ['()', 1, 2, /a value or a condition/],
  ['größe = 1', 1, 3, /a path/, /backslash before it/],
  ['n = 5x', 1, 6, /the end of a number/],
  ['n = 5.', 1, 6, /the end of a number/],
  ['n = .5', 1, 5, /a path, a value or an operator|a value/],
  ['n = -', 1, 5, /a number/],
  ['a. = 1', 1, 3, /a field name/],
  ['a.', 1, 3, /a field name/, /found the end/],
  ['a[-1] = 1', 1, 3, /an index/],
  ['a[01] = 1', 1, 5, /an index/],
  ['a["x" = 1', 1, 6, /`\]`/],
  ['$ = 1', 1, 2, /a dot after/],
  ['a\\', 1, 3, /a character after the backslash/],
  [String.raw`a = "\u12"`, 1, 6, /hexadecimal/],
  ['a = 1\nand b ==\n2', 2, 7, /an operator/],
  ['a = 1 and\r\n\r\n  %', 3, 3, /a path/],
  ['a\u00a0= 1', 1, 2, /a path/, /U\+00a0/],
];

test('every error says line, column, what was expected and what was found', () => {
  for (const [text, line, column, expected, message] of errors) {
    const error = fail(text);
    assert.deepEqual([error.line, error.column], [line, column], `${text}: ${error.message}`);
    assert.match(error.expected, expected, text);
    assert.match(error.message, message ?? /./, text);
    assert.ok(error.offset <= text.length);
  }
});

test('an error becomes a problem of the configuration with path, place and remedy', () => {
  const problem = triggerProblem(fail('type = '), 'syncs.tracks.trigger');
  assert.equal(problem.path, 'syncs.tracks.trigger');
  assert.match(problem.reason, /line 1, column 8: expected a value, found the end/);
  assert.notEqual(problem.remedy, '');
});

test('nesting and length have limits, and long texts within them take no time to speak of', () => {
  const nest = (open: string, close: string, depth: number): string => open.repeat(depth) + 'a' + close.repeat(depth);
  for (const [start, open, close] of [
    ['', '(', ')'],
    ['', '!', ''],
    ['', 'bool(', ')'],
    ['a in ', '[', ']'],
  ] as const) {
    assert.ok(parseTrigger(start + nest(open, close, MAX_TRIGGER_DEPTH)).ok, open);
    const tooDeep = fail(start + nest(open, close, MAX_TRIGGER_DEPTH + 1));
    assert.match(tooDeep.expected, /at most 100 levels/, open);
    assert.equal(tooDeep.line, 1);
  }
  assert.equal(fail('('.repeat(MAX_TRIGGER_LENGTH)).offset, MAX_TRIGGER_DEPTH);
  const long = `a${' or a'.repeat((MAX_TRIGGER_LENGTH - 1) / 5)}`;
  assert.ok(parseTrigger(long).ok);
  const tooLong = fail(`${long}            `);
  assert.match(tooLong.message, /100000 characters/);
  assert.equal(tooLong.offset, MAX_TRIGGER_LENGTH);
});

function parse(text: string): Expression {
  const parsed = parseTrigger(text);
  assert.ok(parsed.ok, parsed.ok ? '' : `${text}: ${parsed.error.message}`);
  return parsed.trigger.condition;
}

function fail(text: string): TriggerError {
  const parsed = parseTrigger(text);
  assert.ok(!parsed.ok, `${text} parses`);
  return parsed.error;
}

function print(text: string): string {
  return formatTrigger({ text, condition: parse(text) });
}

function rightOf(text: string): unknown {
  const condition = parse(text);
  return condition.kind === 'compare' && condition.right.kind === 'literal' ? condition.right.value : undefined;
}

/** All junctions in parentheses. */
function shape(text: string): string {
  const show = (expression: Expression): string => {
    if (expression.kind === 'and' || expression.kind === 'or')
      return `(${expression.clauses.map(show).join(` ${expression.kind} `)})`;
    if (expression.kind === 'not') return `!${show(expression.clause)}`;
    return expression.kind === 'path' ? expression.keys.join('.') : expression.kind;
  };
  return show(parse(text));
}
