/** From text to tokens. */
import type { JsonValue } from '../../model/index.ts';
import { TriggerSyntaxError } from './errors.ts';
import { exactNumber } from './numbers.ts';

export type Token =
  | { readonly type: 'word'; readonly keys: readonly string[]; readonly start: number; readonly end: number }
  | { readonly type: 'value'; readonly value: JsonValue; readonly start: number; readonly end: number }
  | { readonly type: 'keyword' | 'symbol'; readonly text: string; readonly start: number; readonly end: number }
  /** Thrown when the parser reaches it, so that the first error of the text is the one that is told. */
  | { readonly type: 'error'; readonly error: TriggerSyntaxError; readonly start: number; readonly end: number }
  | { readonly type: 'end'; readonly start: number; readonly end: number };

const keywords = new Set(['and', 'or', 'in', 'true', 'false', 'null']);
const symbols = ['!=', '>=', '<=', '=', '>', '<', '!', '(', ')', '[', ']', ','];
const misspelt: Readonly<Record<string, string>> = {
  '==': 'equality is written `=`',
  '===': 'equality is written `=`',
  '!==': 'inequality is written `!=`',
  '<>': 'inequality is written `!=`',
  '=>': 'write `>=`',
  '=<': 'write `<=`',
  '&&': 'write `and`',
  '||': 'write `or`',
};

/** All tokens of the text, an `end` or `error` token last. Never throws; linear in the text's length. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const scanner = new Scanner(text);
  try {
    for (;;) {
      const token = scanner.next();
      tokens.push(token);
      if (token.type === 'end') return tokens;
    }
  } catch (error) {
    if (!(error instanceof TriggerSyntaxError)) throw error;
    tokens.push({ type: 'error', error, start: error.offset, end: error.offset });
    return tokens;
  }
}

/** How a token is named in an error. */
export function describeToken(token: Token, text: string): string {
  if (token.type === 'end') return 'the end';
  const source = text.slice(token.start, token.end);
  return `\`${source.length > 40 ? `${source.slice(0, 40)}…` : source}\``;
}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  next(): Token {
    this.#skip(/[ \t\r\n]*/y);
    const start = this.#at;
    const text = this.#text;
    if (start >= text.length) return { type: 'end', start, end: start };
    const first = text[start]!;
    if (first === '"' || first === "'") {
      const value = this.#string();
      return { type: 'value', value, start, end: this.#at };
    }
    if (/[0-9+-]/.test(first)) return this.#number();
    if (/[A-Za-z_\\$]/.test(first)) return this.#word();
    const wrong = this.#peek(/={2,3}|!==|<>|=>|=<|&&|\|\|/y);
    if (wrong !== '')
      throw new TriggerSyntaxError(start, 'an operator', `\`${wrong}\``, misspelt[wrong] ?? 'it is no operator');
    const symbol = symbols.find((candidate) => text.startsWith(candidate, start));
    if (symbol === undefined) throw unknownCharacter(text, start);
    this.#at = start + symbol.length;
    return { type: 'symbol', text: symbol, start, end: this.#at };
  }

  #number(): Token {
    const start = this.#at;
    const digits = this.#skip(/[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y);
    const tail = this.#peek(/[A-Za-z0-9_.\\]/y);
    if (digits === '') throw new TriggerSyntaxError(start, 'a number', `\`${this.#text[start]}\` without digits`);
    if (tail !== '')
      throw new TriggerSyntaxError(
        this.#at,
        'the end of a number',
        `\`${tail}\``,
        tail === '.'
          ? 'a point stands between digits'
          : `a path that starts with a digit is written with a backslash, \`\\${digits}\``,
      );
    return { type: 'value', value: exactNumber(digits), start, end: this.#at };
  }

  /** A string in either quote; decodes its escapes. A backslash before any other character stands for itself. */
  #string(): string {
    const text = this.#text;
    const start = this.#at;
    const quote = text[start]!;
    let value = '';
    let at = start + 1;
    let run = at;
    for (;;) {
      const character = text[at];
      if (character === undefined)
        throw new TriggerSyntaxError(start, `a closing ${quote} for the string that begins here`, 'the end');
      if (character === quote) break;
      if (character !== '\\') {
        at++;
        continue;
      }
      const [decoded, length] = this.#escape(at);
      value += text.slice(run, at) + decoded;
      at += length;
      run = at;
    }
    value += text.slice(run, at);
    this.#at = at + 1;
    return value;
  }

  /** What the escape at `at` stands for, and how many characters it takes. */
  #escape(at: number): [string, number] {
    const next = this.#text[at + 1];
    if (next === undefined) return ['', 1];
    if ('\\"\'/'.includes(next)) return [next, 2];
    if (next === 'n') return ['\n', 2];
    if (next === 'r') return ['\r', 2];
    if (next === 't') return ['\t', 2];
    if (next !== 'u') return [`\\${next}`, 2];
    const digits = this.#text.slice(at + 2, at + 6);
    if (!/^[0-9A-Fa-f]{4}$/.test(digits))
      throw new TriggerSyntaxError(at, 'four hexadecimal digits after `\\u`', `\`${digits}\``);
    return [String.fromCharCode(Number.parseInt(digits, 16)), 6];
  }

  /** A keyword or a path: keys joined by dots, indexes and quoted keys in brackets, `$.` in front if liked. */
  #word(): Token {
    const start = this.#at;
    const keys: string[] = [];
    let plain = false;
    if (this.#text[start] === '$') {
      this.#at++;
      if (this.#peek(/[.[]/y) === '')
        throw new TriggerSyntaxError(
          this.#at,
          'a dot after `$`',
          this.#found(),
          'a path is written `$.field` or `field`',
        );
    } else {
      keys.push(this.#key());
      const word = this.#text.slice(start, this.#at);
      plain = word === keys[0];
      // `in[...]` is the operator and a list; `in.stock` is a path.
      if (plain && keywords.has(word) && this.#text[this.#at] !== '.')
        return { type: 'keyword', text: word, start, end: this.#at };
    }
    for (;;) {
      const next = this.#text[this.#at];
      if (next === '.') {
        this.#at++;
        keys.push(this.#key());
      } else if (next === '[') {
        keys.push(this.#bracket());
      } else {
        break;
      }
    }
    return { type: 'word', keys, start, end: this.#at };
  }

  #key(): string {
    const text = this.#text;
    const start = this.#at;
    let key = '';
    for (;;) {
      key += this.#skip(/[A-Za-z0-9_-]+/y);
      if (text[this.#at] !== '\\') break;
      const character = text.codePointAt(this.#at + 1);
      if (character === undefined)
        throw new TriggerSyntaxError(text.length, 'a character after the backslash', 'the end');
      const escaped = String.fromCodePoint(character);
      key += escaped;
      this.#at += 1 + escaped.length;
    }
    if (this.#at === start) throw new TriggerSyntaxError(start, 'a field name', this.#found());
    return key;
  }

  #bracket(): string {
    this.#at++;
    const quote = this.#peek(/["']/y);
    const key = quote === '' ? this.#skip(/\d+/y) : this.#string();
    if (quote === '' && !/^(?:0|[1-9]\d*)$/.test(key))
      throw new TriggerSyntaxError(this.#at, 'an index or a quoted field name in the brackets', this.#found());
    if (this.#text[this.#at] !== ']') throw new TriggerSyntaxError(this.#at, '`]`', this.#found());
    this.#at++;
    return key;
  }

  #found(): string {
    const character = this.#text.codePointAt(this.#at);
    return character === undefined ? 'the end' : `\`${String.fromCodePoint(character)}\``;
  }

  #peek(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text)?.[0] ?? '';
  }

  #skip(pattern: RegExp): string {
    const found = this.#peek(pattern);
    this.#at += found.length;
    return found;
  }
}

function unknownCharacter(text: string, at: number): TriggerSyntaxError {
  const expected = 'a path, a value or an operator';
  const code = text.codePointAt(at)!;
  const visible = /[\p{L}\p{N}\p{P}\p{S}]/u.test(String.fromCodePoint(code));
  const name = visible ? `\`${String.fromCodePoint(code)}\`` : `the character U+${code.toString(16).padStart(4, '0')}`;
  if (name === '`.`')
    return new TriggerSyntaxError(at, expected, name, 'a path begins with a field name, a number with a digit');
  const remedy = visible ? 'in a path, put a backslash before it; a text value stands in quotes' : undefined;
  return new TriggerSyntaxError(at, expected, name, remedy);
}
