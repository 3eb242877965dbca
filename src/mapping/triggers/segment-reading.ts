/** What Segment's own evaluator makes of a trigger, told in our language, with the places where it departs from the text. */
import type { JsonValue } from '../../model/index.ts';
import { escapeGlob } from './glob.ts';
import type { SegmentRuleName } from './segment-rules.ts';
import { segmentTokens, type SegmentToken } from './segment-tokens.ts';
import type { Expression, Operator } from './syntax.ts';

export type SegmentReading =
  /** `condition` gives for every record what Segment gives, but for oddities of records (see `lint.ts`). */
  | { readonly reads: true; readonly condition: Expression; readonly departures: readonly Departure[] }
  | { readonly reads: false; readonly departures: readonly Departure[]; readonly reason: string };

export interface Departure {
  readonly rule: SegmentRuleName;
  readonly start: number;
}

/** Reads a trigger as Segment does. Never throws. */
export function readAsSegment(text: string): SegmentReading {
  const lexed = segmentTokens(text);
  if (!lexed.ok) return { reads: false, departures: [{ rule: 'never_sends', start: lexed.at }], reason: lexed.reason };
  const departures: Departure[] = [];
  try {
    const condition = new Reader(text, joinPaths(lexed.tokens), departures).group();
    if (condition === null) throw new Refusal('never_sends', 0, 'it finds no condition');
    return { reads: true, condition, departures };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { reads: false, departures: [{ rule: error.rule, start: error.start }], reason: error.message };
  }
}

class Refusal extends Error {
  readonly rule: SegmentRuleName;
  readonly start: number;

  constructor(rule: SegmentRuleName, start: number, reason: string) {
    super(reason);
    this.rule = rule;
    this.start = start;
  }
}

const roots: ReadonlySet<string> = new Set(['type', 'event', 'name', 'userId', 'context', 'properties', 'traits']);
const objects: ReadonlySet<string> = new Set(['context', 'properties', 'traits']);

class Reader {
  readonly #text: string;
  readonly #tokens: readonly SegmentToken[];
  readonly #departures: Departure[];
  readonly #inParentheses: boolean;
  #at = 0;
  /** What is skipped next belongs to a departure that is noted already. */
  #skipping = false;

  constructor(text: string, tokens: readonly SegmentToken[], departures: Departure[], inParentheses = false) {
    this.#text = text;
    this.#tokens = tokens;
    this.#departures = departures;
    this.#inParentheses = inParentheses;
  }

  /** All tokens as one flat group with one operator; null where nothing is left of it. */
  group(): Expression | null {
    const parts: (Expression | null)[] = [];
    const junctions = new Set<string>();
    let kind: 'and' | 'or' = 'and';
    for (let token = this.#shift(); token !== undefined && token.type !== 'end'; token = this.#shift()) {
      if (token.type === 'word') this.#word(token, parts);
      else if (token.type === 'operator' && token.text === '!') this.#exclamation(token, parts);
      else if (token.type === 'symbol' && token.text === '(') parts.push(this.#parentheses(token));
      else if (token.type === 'junction') {
        kind = token.text === 'or' ? 'or' : 'and';
        junctions.add(kind);
        if (junctions.size > 1) this.#note('mixed_and_or', token);
        this.#skipping = false;
        if (parts.length === 0 || this.#peek()?.type === 'end') this.#note('ignored', token);
      } else if (!this.#skipping) {
        this.#note(token.type === 'string' ? 'unspaced' : 'ignored', token);
      }
    }
    return join(kind, parts, this.#departures);
  }

  #word(token: SegmentToken, parts: (Expression | null)[]): void {
    const root = token.text.split('.')[0]!;
    this.#skipping = false;
    if (roots.has(root)) parts.push(this.#condition(root, token));
    else if (token.text === 'contains' || token.text === 'match') this.#call(token, false, parts);
    else if (root in Object.prototype) {
      // Its table of fields is an ordinary object, so names such as `constructor` count as fields of no kind.
      this.#note('field_dropped', token);
      this.#valueOf(token);
    } else {
      this.#note(/^(?:and|or)$/i.test(token.text) ? 'upper_case' : 'field_dropped', token);
    }
  }

  #exclamation(token: SegmentToken, parts: (Expression | null)[]): void {
    const next = this.#peek();
    if (next?.type === 'word' && (next.text === 'contains' || next.text === 'match')) {
      this.#at++;
      this.#note('negated_missing', token);
      this.#call(next, true, parts);
    } else {
      this.#note('negation_dropped', token);
    }
  }

  #parentheses(open: SegmentToken): Expression | null {
    const inner: SegmentToken[] = [];
    let token = this.#shift();
    for (; token !== undefined && !isSymbol(token, ')'); token = this.#shift()) inner.push(token);
    const nested = inner.findIndex((candidate) => isSymbol(candidate, '('));
    if (token === undefined)
      throw new Refusal(
        this.#inParentheses ? 'nested_parentheses' : 'never_sends',
        open.start,
        'it finds no closing parenthesis',
      );
    const before = inner[nested - 1];
    if (nested >= 0 && before?.type === 'word' && ['contains', 'match'].includes(before.text))
      this.#note('group_cut', open);
    inner.push({ type: 'end', text: 'eos', start: token.start, end: token.start });
    return new Reader(this.#text, inner, this.#departures, true).group();
  }

  #condition(root: string, field: SegmentToken): Expression {
    const [operator, value] = this.#valueOf(field);
    const keys = this.#keys(root, field);
    this.#noteOperator(operator, value);
    this.#noteValue(root, operator, value);
    if (operator.text === '=' && value.text === 'null' && takesNull(root)) return compare(keys, '=', null);
    if (operator.text === '!=' && value.text === 'null' && takesNull(root)) return compare(keys, '!=', null);
    const isBoolean = value.text === 'true' || value.text === 'false';
    if (operator.text === '=' && isBoolean && (objects.has(root) || root === 'userId'))
      return compare(keys, '=', value.text === 'true');
    if (value.type === 'number' && objects.has(root)) {
      if (operator.text === '=') return translate('number_equals', keys, valueOf(value));
      if (operator.text === '!=') return translate('number_not_equals', keys, valueOf(value));
    }
    return translate(operator.text, keys, objects.has(root) ? valueOf(value) : String(valueOf(value)));
  }

  #call(name: SegmentToken, negated: boolean, parts: (Expression | null)[]): void {
    this.#shift();
    const field = this.#shift();
    if (field === undefined) throw new Refusal('never_sends', name.start, 'the first operand is missing');
    this.#shift();
    const value = this.#shift();
    if (value === undefined) throw new Refusal('never_sends', name.start, 'the second operand is missing');
    this.#shift();
    this.#noteText(value);
    const root = ['event', 'name', 'userId'].includes(field.text)
      ? field.text
      : /^(?:properties|traits|context)/.exec(field.text)?.[0];
    if (root === undefined) {
      this.#note('field_dropped', field);
      return;
    }
    const keys = this.#keys(root, field);
    let operator = 'contains';
    let text = String(valueOf(value));
    if (name.text === 'match') {
      const plain = /^"(?:\*[^*?[\]\\]*|[^*?[\]\\]*\*)"$/;
      if (!plain.test(value.text)) this.#note('match_pattern', value);
      const starts = value.text.endsWith('*"');
      operator = starts ? 'starts_with' : 'ends_with';
      text = starts ? text.slice(0, -1) : text.slice(1);
    }
    parts.push(translate(`${negated ? 'not_' : ''}${operator}`, keys, text));
  }

  /** The two tokens behind a field, whatever they are. */
  #valueOf(field: SegmentToken): [SegmentToken, SegmentToken] {
    const operator = this.#shift();
    const value = this.#shift();
    if (operator === undefined || value === undefined)
      throw new Refusal('never_sends', field.start, 'it wants an operator and a value behind a path');
    return [operator, value];
  }

  #keys(root: string, field: SegmentToken): readonly string[] {
    if (/\\[.[\]]/.test(this.#text.slice(field.start, field.end))) this.#note('escaped_dot', field);
    if (!objects.has(root)) {
      if (field.text !== root) this.#note('deeper_path', field);
      return [root];
    }
    if (!field.text.startsWith(`${root}.`)) this.#note('whole_object', field);
    const name = field.text.startsWith(`${root}.`) ? field.text.slice(root.length + 1) : field.text;
    return [root, ...(name.match(/[^[.\]]+/g) ?? [])];
  }

  #noteOperator(operator: SegmentToken, value: SegmentToken): void {
    const known = ['=', '!=', '>', '>=', '<', '<='].includes(operator.text) && operator.type === 'operator';
    if (!known) this.#note('path_condition', operator);
    else if (value.type === 'operator') this.#note('unspaced', operator);
  }

  #noteValue(root: string, operator: SegmentToken, value: SegmentToken): void {
    const equality = operator.text === '=' || operator.text === '!=';
    if (value.type === 'end') this.#note('missing_value', value);
    else if (value.type === 'string') {
      this.#noteText(value);
      if (!equality) this.#note('text_as_number', value);
    } else if (value.type === 'null') {
      if (!takesNull(root)) this.#note('null_as_text', value);
    } else if (value.type === 'number') {
      this.#noteNumber(root, operator, value);
    } else if (value.text === 'true' || value.text === 'false') {
      if (operator.text !== '=' || !(objects.has(root) || root === 'userId')) this.#note('compared_as_text', value);
    } else {
      this.#note(value.type === 'word' ? 'path_as_text' : 'path_condition', value);
    }
  }

  #noteNumber(root: string, operator: SegmentToken, value: SegmentToken): void {
    const next = this.#peek();
    if (next?.type === 'word' && next.start === value.end && /^e-?\d+$/i.test(next.text)) {
      this.#note('exponent', value);
      this.#at++;
    } else if (value.text.replace(/\D/g, '').length > 15) this.#note('long_number', value);
    if (operator.text !== '=' && operator.text !== '!=') return;
    if (!objects.has(root)) this.#note('compared_as_text', value);
    else if (operator.text === '!=') this.#note('negated_missing', value);
  }

  #noteText(value: SegmentToken): void {
    if (value.text.startsWith("'")) this.#note('single_quotes', value);
    if (value.text.includes('\\')) this.#note('no_escapes', value);
  }

  #note(rule: SegmentRuleName, token: SegmentToken): void {
    this.#departures.push({ rule, start: token.start });
    this.#skipping = true;
  }

  #peek(): SegmentToken | undefined {
    return this.#tokens[this.#at];
  }

  #shift(): SegmentToken | undefined {
    return this.#tokens[this.#at++];
  }
}

/** Words joined by dots are one word; whatever else follows a dot is not. */
function joinPaths(tokens: readonly SegmentToken[]): SegmentToken[] {
  const joined: SegmentToken[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at]!;
    const last = joined.at(-1);
    const next = tokens[at + 1];
    if (last?.type === 'word' && token.type === 'dot' && next?.type === 'word') {
      joined[joined.length - 1] = { ...last, text: `${last.text}.${next.text}`, end: next.end };
      at++;
    } else {
      joined.push(token);
    }
  }
  return joined;
}

/** One operator for all parts. An empty group (null) makes the evaluation fail where it is reached. */
function join(kind: 'and' | 'or', parts: readonly (Expression | null)[], departures: Departure[]): Expression | null {
  if (parts.length === 1) return parts[0]!;
  const empty = parts.indexOf(null);
  if (empty >= 0) departures.push({ rule: 'empty_group', start: 0 });
  const reached = empty >= 0 && kind === 'or' ? parts.slice(0, empty + 1) : parts;
  const clauses = reached.map((part) => part ?? literal(false));
  if (clauses.length === 0) return null;
  return clauses.length === 1 ? clauses[0]! : { kind, clauses, start: 0, end: 0 };
}

function takesNull(root: string): boolean {
  return objects.has(root) || root === 'name' || root === 'userId';
}

function isSymbol(token: SegmentToken, text: string): boolean {
  return token.type === 'symbol' && token.text === text;
}

/** The value Segment makes of a token: only double quotes are taken off. */
function valueOf(token: SegmentToken): string | number | boolean {
  if (token.type === 'string') return token.text.replace(/^"/, '').replace(/"$/, '');
  if (token.type === 'number') return Number(token.text);
  if (token.type === 'word' && (token.text === 'true' || token.text === 'false')) return token.text === 'true';
  return token.text;
}

/** One of Segment's operators in our language. What it does not know is false. */
function translate(operator: string, keys: readonly string[], value: string | number | boolean): Expression {
  const text = String(value);
  switch (operator) {
    case '=':
    case '!=':
      return compare(keys, operator, text);
    case '<':
    case '<=':
    case '>':
    case '>=':
      return order(keys, operator, Number(value));
    case 'number_equals':
      return Number.isFinite(Number(value)) ? compare(keys, '=', plain(Number(value))) : literal(false);
    case 'number_not_equals':
      return Number.isFinite(Number(value))
        ? both(isA(keys, 'number'), compare(keys, '!=', plain(Number(value))))
        : isA(keys, 'number');
    case 'contains':
      return call('contains', keys, text);
    case 'starts_with':
      return call('match', keys, `${escapeGlob(text)}*`);
    case 'ends_with':
      return call('match', keys, `*${escapeGlob(text)}`);
    case 'not_contains':
    case 'not_starts_with':
    case 'not_ends_with':
      return both(isA(keys, 'string'), {
        kind: 'not',
        clause: translate(operator.slice(4), keys, value),
        start: 0,
        end: 0,
      });
    case 'exists':
      return compare(keys, '!=', null);
    case 'not_exists':
      return compare(keys, '=', null);
    case 'is_true':
      return compare(keys, '=', true);
    case 'is_false':
      return compare(keys, '=', false);
    default:
      return literal(false);
  }
}

function order(keys: readonly string[], operator: '<' | '<=' | '>' | '>=', limit: number): Expression {
  if (Number.isFinite(limit)) return compare(keys, operator, plain(limit));
  const always = operator.startsWith('<') ? limit > 0 : limit < 0;
  return always ? isA(keys, 'number') : literal(false);
}

function plain(value: number): number {
  return value === 0 ? 0 : value;
}

function compare(keys: readonly string[], operator: Operator, value: JsonValue): Expression {
  return { kind: 'compare', operator, left: path(keys), right: literal(value), start: 0, end: 0 };
}

function isA(keys: readonly string[], type: string): Expression {
  const left: Expression = { kind: 'call', name: 'typeof', operands: [path(keys)], start: 0, end: 0 };
  return { kind: 'compare', operator: '=', left, right: literal(type), start: 0, end: 0 };
}

function call(name: 'contains' | 'match', keys: readonly string[], text: string): Expression {
  return { kind: 'call', name, operands: [path(keys), literal(text)], start: 0, end: 0 };
}

function both(...clauses: Expression[]): Expression {
  return { kind: 'and', clauses, start: 0, end: 0 };
}

function path(keys: readonly string[]): Expression {
  return { kind: 'path', keys, start: 0, end: 0 };
}

function literal(value: JsonValue): Expression {
  return { kind: 'literal', value, start: 0, end: 0 };
}
