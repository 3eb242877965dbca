/** Glob patterns: the documented examples, a slow obvious matcher as reference, and no pattern that blows up. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileGlob, escapeGlob, MAX_PATTERN_LENGTH } from './glob.ts';

test('the examples of the documentation hold', () => {
  const rows: [text: string, pattern: string, matches: boolean][] = [
    ['abcd', 'a*d', true],
    ['', '*', true],
    ['abc', 'ab', false],
    ['abcd', 'a??d', true],
    ['abcd', '*d', true],
    ['ab*d', 'ab\\*d', true],
    ['abCd', 'ab[cC]d', true],
    ['abcd', 'ab[a-z]d', true],
    ['abcd', 'ab[A-Z]d', false],
  ];
  for (const [text, pattern, matches] of rows) assert.equal(match(text, pattern), matches, `${text} ${pattern}`);
});

test('the whole text must match, case counts, and characters are code points', () => {
  const rows: [text: string, pattern: string, matches: boolean][] = [
    ['', '', true],
    ['a', '', false],
    ['aXbXc', 'a*X*c', true],
    ['ab', 'a*ab', false],
    ['aab', 'a*ab', true],
    ['abab', 'ab*ab', true],
    ['aba', 'ab*ba', false],
    ['😀', '?', true],
    ['😀', '??', false],
    ['a😀b', 'a[😀-😂]b', true],
    ['é', '[a-z]', false],
    ['a]b', 'a\\]b', true],
    ['a]b', 'a[\\]]b', true],
    ['a-b', 'a[-x]b', true],
    ['a-b', 'a[x-]b', true],
    ['a\nb', 'a?b', true],
    ['^', '[\\^a]', true],
    ['*', '[*]', true],
    ['a\\b', 'a\\\\b', true],
  ];
  for (const [text, pattern, matches] of rows) assert.equal(match(text, pattern), matches, `${text} ${pattern}`);
});

test('a faulty pattern is refused with a reason', () => {
  for (const pattern of [
    '[a',
    '[',
    '[a-',
    '[a-]',
    '[\\',
    '[]',
    '[^a]',
    '[!a]',
    '[b-a]',
    'a]',
    'a\\',
    'a'.repeat(MAX_PATTERN_LENGTH + 1),
  ]) {
    const glob = compileGlob(pattern);
    if (pattern === '[a-]') assert.ok(glob.ok);
    else assert.ok(!glob.ok && glob.reason !== '', pattern);
  }
});

test('every pattern matches what the obvious matcher matches', () => {
  const piece = fc.constantFrom(
    'a',
    'b',
    '😀',
    '*',
    '?',
    '[ab]',
    '[a-c]',
    '[^',
    '\\*',
    '\\a',
    '[b😀]',
    '*?',
    'ab',
    '-',
  );
  const pattern = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
  const text = fc
    .array(fc.constantFrom('a', 'b', 'c', '😀', '*', '-', '?'), { maxLength: 10 })
    .map((all) => all.join(''));
  fc.assert(
    fc.property(pattern, text, (p, t) => {
      const glob = compileGlob(p);
      if (glob.ok) assert.equal(glob.test(t), obvious(t, p));
    }),
    { numRuns: 20_000 },
  );
});

test('long patterns cross the words of the automaton', () => {
  const long = '[ab]?'.repeat(60);
  assert.equal(match('ax'.repeat(60), long), true);
  assert.equal(match(`${'ax'.repeat(59)}cx`, long), false);
  assert.equal(match(`${'ax'.repeat(60)}x`, long), false);
  assert.equal(match(`zz${'ax'.repeat(60)}`, `*${long}`), true);
  for (let length = 1; length <= 130; length++) assert.equal(match('a'.repeat(length), '?'.repeat(length)), true);
});

test('an escaped text matches itself and nothing else', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }),
      (text) => match(text, escapeGlob(text)) && !match(`${text}x`, escapeGlob(text)),
    ),
  );
});

test('no pattern takes more than a moment on 100 KB', () => {
  const text = 'a'.repeat(100_000);
  for (const pattern of [
    '*a*a*a*a*a*a*b',
    '*[a-b]*a?a*[a]*b',
    `*${'a'.repeat(500)}b`,
    `*${'a?'.repeat(15)}b*`,
    `*${'a'.repeat(999)}`,
  ]) {
    const glob = compileGlob(pattern);
    assert.ok(glob.ok);
    glob.test(text);
    const started = process.cpuUsage();
    glob.test(text);
    assert.ok(process.cpuUsage(started).user < 50_000, pattern);
  }
});

function match(text: string, pattern: string): boolean {
  const glob = compileGlob(pattern);
  assert.ok(glob.ok, glob.ok ? '' : glob.reason);
  return glob.test(text);
}

/** The definition of a match, by trying everything. */
function obvious(text: string, pattern: string): boolean {
  const characters = Array.from(text);
  const places = Array.from(pattern.matchAll(/\\(.)|\[((?:\\.|[^\]])*)\]|([\s\S])/gu));
  const fits = (place: RegExpMatchArray, character: string): boolean => {
    if (place[1] !== undefined) return character === place[1];
    if (place[2] !== undefined) return new RegExp(`^[${place[2]}]$`, 'u').test(character);
    return place[3] === '?' || character === place[3];
  };
  const from = (at: number, place: number): boolean => {
    const next = places[place];
    if (next === undefined) return at === characters.length;
    if (next[3] === '*') return from(at, place + 1) || (at < characters.length && from(at + 1, place));
    return at < characters.length && fits(next, characters[at]!) && from(at + 1, place + 1);
  };
  return from(0, 0);
}
