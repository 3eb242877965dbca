/** Glob patterns: `*`, `?`, `[abc]`, `[a-z]`, `\x`; the whole text must match; linear in the text. */
import { compileContains, compileSearch } from './search.ts';

/** Longest pattern, in characters. */
export const MAX_PATTERN_LENGTH = 1000;

export type Glob =
  { readonly ok: true; readonly test: (text: string) => boolean } | { readonly ok: false; readonly reason: string };

/** One character of the text: any of these ranges of code points. */
type Place = readonly (readonly [low: number, high: number])[];

interface Pattern {
  readonly places: Place[];
  /** Whether a `*` stands before place i; one more than there are places. */
  readonly stars: boolean[];
}

const ANY: Place = [[0, 0x10ffff]];

/** Compiles a pattern once. Characters are code points. */
export function compileGlob(text: string): Glob {
  const pattern = parsePattern(text);
  if (typeof pattern === 'string') return { ok: false, reason: pattern };
  const literal = pattern.places.every((place) => place.length === 1 && place[0]![0] === place[0]![1]);
  return { ok: true, test: literal ? literalTest(pattern) : automatonTest(pattern) };
}

/** The pattern that matches exactly this text. */
export function escapeGlob(text: string): string {
  return text.replaceAll(/[\\*?[\]]/g, '\\$&');
}

/** The parts of a pattern, or what is wrong with it. */
function parsePattern(text: string): Pattern | string {
  const characters = Array.from(text);
  if (characters.length > MAX_PATTERN_LENGTH) return `the pattern is longer than ${MAX_PATTERN_LENGTH} characters`;
  const places: Place[] = [];
  const stars = [false];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at]!;
    if (character === '*') {
      stars[places.length] = true;
      continue;
    }
    let place: Place = [[character.codePointAt(0)!, character.codePointAt(0)!]];
    if (character === '?') place = ANY;
    else if (character === ']') return '`]` without `[`: write `\\]` for the character itself';
    else if (character === '\\') {
      const escaped = characters[++at];
      if (escaped === undefined) return 'the pattern ends with a backslash';
      place = [[escaped.codePointAt(0)!, escaped.codePointAt(0)!]];
    } else if (character === '[') {
      const found = parseClass(characters, at + 1);
      if (typeof found === 'string') return found;
      [place, at] = found;
    }
    places.push(place);
    stars.push(false);
  }
  return { places, stars };
}

/** The ranges of a class that opens before `from`, and where its `]` stands. */
function parseClass(characters: readonly string[], from: number): [Place, number] | string {
  const first = characters[from];
  if (first === '^' || first === '!')
    return `\`[${first}\` would be read as "none of these" elsewhere, which is not part of the language: write \`[\\${first}\` for the character itself`;
  const ranges: [number, number][] = [];
  let at = from;
  const take = (): number | undefined => {
    if (characters[at] === '\\') at++;
    return characters[at++]?.codePointAt(0);
  };
  while (characters[at] !== ']') {
    const low = take();
    if (low === undefined) return '`[` without `]`';
    let high: number | undefined = low;
    if (characters[at] === '-' && characters[at + 1] !== ']' && characters[at + 1] !== undefined) {
      at++;
      high = take();
      if (high === undefined) return '`[` without `]`';
    }
    if (high < low) return 'a range in `[…]` runs backwards';
    ranges.push([low, high]);
  }
  return ranges.length === 0 ? '`[]` matches nothing' : [ranges, at];
}

/** Only literal text between stars: the first and last stand at the ends, the others in order between them. */
function literalTest({ places, stars }: Pattern): (text: string) => boolean {
  const parts: string[] = [''];
  for (const [index, place] of places.entries()) {
    if (stars[index]) parts.push('');
    parts[parts.length - 1] += String.fromCodePoint(place[0]![0]);
  }
  if (stars[places.length]) parts.push('');
  if (parts.length === 1) return (text) => text === parts[0];
  const prefix = parts[0]!;
  const suffix = parts.at(-1)!;
  if (parts.length === 2 && suffix === '') return (text) => text.startsWith(prefix);
  if (parts.length === 2 && prefix === '') return (text) => text.endsWith(suffix);
  if (parts.length === 3 && prefix === '' && suffix === '') return compileContains(parts[1]!);
  const middle = parts.slice(1, -1).map((part) => ({ length: part.length, find: compileSearch(part) }));
  const shortest = prefix.length + suffix.length;
  return (text) => {
    if (text.length < shortest || !text.startsWith(prefix) || !text.endsWith(suffix)) return false;
    let at = prefix.length;
    for (const part of middle) {
      const found = part.find(text, at);
      if (found === -1) return false;
      at = found + part.length;
    }
    return at <= text.length - suffix.length;
  };
}

/**
 * All ways through the pattern side by side, one bit each (Shift-And): bit i is set while the first i places match.
 * The cost per character is the number of words the bits need, whatever the text.
 */
function automatonTest(pattern: Pattern): (text: string) => boolean {
  const { places, stars } = pattern;
  const words = Math.ceil((places.length + 1) / 32);
  const loops = bits(words, (place) => stars[place] === true);
  const maskOf = compileMasks(places, words);
  const last = places.length;
  return (text) => {
    const state = new Uint32Array(words);
    state[0] = 1;
    for (let at = 0; at < text.length; at++) {
      const character = text.codePointAt(at)!;
      if (character > 0xffff) at++;
      if (!advance(state, maskOf(character), loops)) return false;
    }
    return ((state[last >>> 5]! >>> (last & 31)) & 1) === 1;
  };
}

/** One character further; false when no way is left. */
function advance(state: Uint32Array, mask: Uint32Array, loops: Uint32Array): boolean {
  let carry = 0;
  let alive = 0;
  for (let word = 0; word < state.length; word++) {
    const before = state[word]!;
    const matched = before & mask[word]!;
    const after = (matched << 1) | carry | (before & loops[word]!);
    carry = matched >>> 31;
    state[word] = after;
    alive |= after;
  }
  return alive !== 0;
}

/** Which places a character fits. Characters between two neighbouring bounds of ranges all fit the same ones. */
function compileMasks(places: readonly Place[], words: number): (character: number) => Uint32Array {
  const bounds = new Set([0]);
  for (const place of places) for (const [low, high] of place) bounds.add(low).add(high + 1);
  const starts = Uint32Array.from(bounds).sort();
  const masks = Array.from(starts, (start) =>
    bits(words, (index) => places[index]?.some(([low, high]) => low <= start && start <= high) === true),
  );
  const ascii = Array.from({ length: 128 }, (_, character) => masks[indexBelow(starts, character)]!);
  return (character) => ascii[character] ?? masks[indexBelow(starts, character)]!;
}

/** The last index whose value is not above `value`. */
function indexBelow(sorted: Uint32Array, value: number): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (sorted[middle]! <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

function bits(words: number, isSet: (index: number) => boolean): Uint32Array {
  const result = new Uint32Array(words);
  for (let index = 0; index < words * 32; index++) if (isSet(index)) result[index >>> 5]! |= 1 << (index & 31);
  return result;
}
