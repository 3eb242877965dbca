/** How Segment's own evaluator cuts a trigger into tokens, faults included (SEMANTICS: the lexer actually shipped). */

export interface SegmentToken {
  readonly type: 'word' | 'dot' | 'operator' | 'junction' | 'string' | 'number' | 'null' | 'symbol' | 'end';
  /** A word without its backslashes; a string with its quotes. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** The tokens, or why Segment refuses the text (and then never sends). */
export type SegmentTokens =
  | { readonly ok: true; readonly tokens: SegmentToken[] }
  | { readonly ok: false; readonly at: number; readonly reason: string };

const MAX_LENGTH = 100_000;

export function segmentTokens(text: string): SegmentTokens {
  const tokens: SegmentToken[] = [];
  let at = 0;
  while (at < text.length) {
    if (/[ \t\n]/.test(text[at]!)) {
      at++;
      continue;
    }
    const next = tokenAt(text, at);
    if (typeof next === 'string') return { ok: false, at, reason: next };
    tokens.push(next);
    at = next.end;
  }
  tokens.push({ type: 'end', text: 'eos', start: text.length, end: text.length });
  return { ok: true, tokens };
}

function tokenAt(text: string, start: number): SegmentToken | string {
  const first = text[start]!;
  const token = (type: SegmentToken['type'], value: string, end = start + value.length): SegmentToken => ({
    type,
    text: value,
    start,
    end,
  });
  if (first === '!') {
    if (/[A-Za-z(]/.test(text[start + 1] ?? '')) return token('operator', '!');
    return endsWord(text, start + 2) && text[start + 1] === '='
      ? token('operator', '!=')
      : 'it wants `!=` with a space behind it';
  }
  if (first === '=') return token('operator', '=');
  if (first === '<' || first === '>')
    return text[start + 1] === '=' && endsWord(text, start + 2)
      ? token('operator', `${first}=`)
      : token('operator', first);
  if (/[A-Za-z\\_]/.test(first)) return word(text, start, token);
  if (/[0-9+-]/.test(first)) return number(text, start, token);
  if (first === '"' || first === "'") return string(text, start, token);
  if (first === '.') return token('dot', '.');
  return '[],()'.includes(first) ? token('symbol', first) : `it does not know the character ${JSON.stringify(first)}`;
}

type MakeToken = (type: SegmentToken['type'], text: string, end?: number) => SegmentToken;

const keywords = [
  ['and', 'junction'],
  ['or', 'junction'],
  ['null', 'null'],
] as const;

function word(text: string, start: number, token: MakeToken): SegmentToken | string {
  for (const [keyword, type] of keywords) {
    if (text.startsWith(keyword, start) && endsWord(text, start + keyword.length)) return token(type, keyword);
    // A word at the very end that is the beginning of a keyword's length loses all but its first letter.
    const rest = text.slice(start + 1);
    if (text[start] === keyword[0] && rest.length < keyword.length - 1 && !/[ \t\n,\])]/.test(rest))
      return token('word', text[start]!, text.length);
  }
  let value = '';
  let at = start;
  do {
    if (text[at] === '\\') at++;
    if (at >= text.length) return 'a backslash stands at the end';
    value += text[at++];
    if (value.length >= MAX_LENGTH) return 'a word is too long';
  } while (/[A-Za-z0-9_\-\\]/.test(text[at] ?? ''));
  if (!endsWord(text, at) && !'.(=!'.includes(text[at]!))
    return `it wants a space between \`${text.slice(start, at)}\` and \`${text[at]}\``;
  return token('word', value, at);
}

/** A sign or digit, then digits with at most one point: no exponent. */
function number(text: string, start: number, token: MakeToken): SegmentToken | string {
  let at = start + 1;
  let point = false;
  for (; /[0-9.]/.test(text[at] ?? ''); at++) {
    if (text[at] === '.') {
      if (endsWord(text, at + 1)) return 'a number ends with a point';
      if (point) return 'a number has two points';
      point = true;
    }
    if (at - start >= MAX_LENGTH) return 'a number is too long';
  }
  return token('number', text.slice(start, at));
}

/** To the next quote of the same kind. A closing quote with no space behind it is read again, as an opening one. */
function string(text: string, start: number, token: MakeToken): SegmentToken | string {
  const close = text.indexOf(text[start]!, start + 1);
  if (close === -1) return 'a string is not closed';
  if (close - start - 1 >= MAX_LENGTH) return 'a string is too long';
  return token('string', text.slice(start, close + 1), endsWord(text, close + 1) ? close + 1 : close);
}

function endsWord(text: string, at: number): boolean {
  return at >= text.length || /[ \t\n,\])]/.test(text[at]!);
}
