/** From text to the tree: recursive descent, `or` below `and` below `!` below the comparisons. */
import { suggest } from '../../base/suggest.ts';
import { triggerError, TriggerSyntaxError, type TriggerError } from './errors.ts';
import { compileGlob } from './glob.ts';
import {
  functions,
  MAX_TRIGGER_DEPTH,
  MAX_TRIGGER_LENGTH,
  staticType,
  type Call,
  type Expression,
  type FunctionName,
  type Operator,
  type Trigger,
} from './syntax.ts';
import { describeToken, tokenize, type Token } from './tokens.ts';

export type ParsedTrigger =
  { readonly ok: true; readonly trigger: Trigger } | { readonly ok: false; readonly error: TriggerError };

/** Parses a trigger. Never throws; time is linear in the text. */
export function parseTrigger(text: string): ParsedTrigger {
  try {
    if (text.length > MAX_TRIGGER_LENGTH)
      throw new TriggerSyntaxError(
        MAX_TRIGGER_LENGTH,
        `at most ${MAX_TRIGGER_LENGTH} characters`,
        `${text.length} characters`,
      );
    return { ok: true, trigger: { text, condition: new Parser(text).trigger() } };
  } catch (error) {
    if (error instanceof TriggerSyntaxError) return { ok: false, error: triggerError(text, error) };
    throw error;
  }
}

const operators: ReadonlySet<string> = new Set(['=', '!=', '>', '>=', '<', '<=', 'in']);

class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokenize(text);
  }

  trigger(): Expression {
    const condition = this.#expectCondition(this.#or());
    if (this.#token.type !== 'end') throw this.#notEnded('the end');
    return condition;
  }

  #or(): Expression {
    return this.#junction('or', () => this.#junction('and', () => this.#clause()));
  }

  #junction(kind: 'and' | 'or', part: () => Expression): Expression {
    const first = part();
    if (!this.#is(kind)) return first;
    const clauses = [this.#expectCondition(first)];
    while (this.#accept(kind)) clauses.push(this.#expectCondition(part()));
    return { kind, clauses, start: first.start, end: clauses.at(-1)!.end };
  }

  /** A comparison, a negation, or one value that may turn out to be a condition. */
  #clause(): Expression {
    const negated = this.#is('!');
    const left = negated ? this.#negation() : this.#value('a value or a condition');
    const token = this.#token;
    if (!this.#isOperator(token)) return left;
    if (negated) throw this.#unexpected('`and`, `or` or the end', 'put the comparison into parentheses, `!( … )`');
    this.#at++;
    const right = this.#value('a value');
    const next = this.#token;
    if (this.#isOperator(next)) throw this.#unexpected('`and`, `or` or the end', 'comparisons do not chain');
    return { kind: 'compare', operator: token.text as Operator, left, right, start: left.start, end: right.end };
  }

  #negation(): Expression {
    const { start } = this.#token;
    this.#at++;
    const clause = this.#nested(start, () => (this.#is('!') ? this.#negation() : this.#value('a condition')));
    return { kind: 'not', clause: this.#expectCondition(clause), start, end: clause.end };
  }

  #value(expected: string): Expression {
    const token = this.#token;
    const { start, end } = token;
    if (token.type === 'word') {
      const next = this.#tokens[this.#at + 1]!;
      if (next.type === 'symbol' && next.text === '(') return this.#call(token.keys, start, end);
      this.#at++;
      return { kind: 'path', keys: token.keys, start, end };
    }
    if (token.type === 'value') {
      this.#at++;
      return { kind: 'literal', value: token.value, start, end };
    }
    if (this.#accept('true')) return { kind: 'literal', value: true, start, end };
    if (this.#accept('false')) return { kind: 'literal', value: false, start, end };
    if (this.#accept('null')) return { kind: 'literal', value: null, start, end };
    if (this.#is('(')) return this.#parentheses(start);
    if (this.#is('[')) return this.#list(start);
    throw this.#unexpected(expected);
  }

  #parentheses(start: number): Expression {
    return this.#nested(start, () => {
      this.#at++;
      const inner = this.#or();
      if (!this.#is(')')) throw this.#notEnded('`)`');
      const end = this.#token.end;
      this.#at++;
      return { ...inner, start, end };
    });
  }

  #list(start: number): Expression {
    return this.#nested(start, () => {
      this.#at++;
      const items: Expression[] = [];
      if (!this.#is(']'))
        do items.push(this.#value('a value'));
        while (this.#accept(','));
      const end = this.#expect(']', '`,` or `]`');
      return { kind: 'list', items, start, end };
    });
  }

  #call(keys: readonly string[], start: number, nameEnd: number): Expression {
    const written = this.#text.slice(start, nameEnd);
    const name = keys.length === 1 && Object.hasOwn(functions, written) ? (written as FunctionName) : null;
    if (name === null) {
      const near = suggest(written, Object.keys(functions));
      const known = near === null ? `the functions are ${Object.keys(functions).join(', ')}` : `did you mean ${near}?`;
      throw new TriggerSyntaxError(start, 'a function', describeToken(this.#token, this.#text), known);
    }
    return this.#nested(start, () => {
      this.#at += 2;
      const operands = this.#operands(name);
      const end = this.#expect(')', `\`)\`: ${name} takes ${count(functions[name].operands)}`);
      const call: Call = { kind: 'call', name, operands, start, end };
      checkPattern(call);
      return call;
    });
  }

  #operands(name: FunctionName): Expression[] {
    const operands: Expression[] = [];
    const wanted = functions[name].operands;
    for (let index = 0; index < wanted; index++) {
      if (this.#is(')')) throw this.#unexpected(`${count(wanted)} for ${name}`);
      operands.push(this.#or());
      if (index < wanted - 1) this.#expect(',', `\`,\`: ${name} takes ${count(wanted)}`);
    }
    return operands;
  }

  /** The same expression, once it is sure that it can be true: a path, a comparison, a function that gives a bool. */
  #expectCondition(expression: Expression): Expression {
    const type = staticType(expression);
    if (type === null || type === 'bool' || type === 'null') return expression;
    const source = this.#text.slice(expression.start, expression.end);
    const short = source.length > 40 ? `${source.slice(0, 40)}…` : source;
    throw new TriggerSyntaxError(
      expression.start,
      'a condition',
      `\`${short}\`, which is a ${type}`,
      'compare it with something',
    );
  }

  #nested<T>(start: number, parse: () => T): T {
    if (++this.#depth > MAX_TRIGGER_DEPTH)
      throw new TriggerSyntaxError(start, `at most ${MAX_TRIGGER_DEPTH} levels`, 'one more level of nesting');
    const result = parse();
    this.#depth--;
    return result;
  }

  get #token(): Token {
    const token = this.#tokens[this.#at]!;
    if (token.type === 'error') throw token.error;
    return token;
  }

  #is(text: string): boolean {
    const token = this.#token;
    return (token.type === 'symbol' || token.type === 'keyword') && token.text === text;
  }

  #accept(text: string): boolean {
    if (!this.#is(text)) return false;
    this.#at++;
    return true;
  }

  /** The offset behind the token. */
  #expect(text: string, expected: string): number {
    const { end } = this.#token;
    if (!this.#accept(text)) throw this.#unexpected(expected);
    return end;
  }

  #isOperator(token: Token): token is Token & { readonly text: string } {
    return (token.type === 'symbol' || token.type === 'keyword') && operators.has(token.text);
  }

  /** A condition stands there, but neither goes on nor ends. */
  #notEnded(end: string): TriggerSyntaxError {
    const last = this.#tokens[this.#at - 1]!;
    const before = last.type === 'word' ? this.#text.slice(last.start, last.end) : null;
    const found = this.#text.slice(this.#token.start, this.#token.end);
    const expected = `${before === null ? '' : 'an operator, '}\`and\`, \`or\` or ${end}`;
    let remedy: string | undefined;
    if (/^(?:and|or|in)$/i.test(found)) remedy = `write \`${found.toLowerCase()}\` in lower case`;
    else if (/^not$/i.test(before ?? '')) remedy = 'a negation is written `!( … )`';
    else if (before !== null && Object.hasOwn(functions, found)) remedy = `write \`${found}(${before}, …)\``;
    else if (found === ',') remedy = 'a list is written `[ …, … ]`';
    return this.#unexpected(expected, remedy);
  }

  #unexpected(expected: string, remedy?: string): TriggerSyntaxError {
    return new TriggerSyntaxError(this.#token.start, expected, describeToken(this.#token, this.#text), remedy);
  }
}

function count(operands: number): string {
  return operands === 1 ? 'one operand' : `${operands} operands`;
}

/** A pattern written in the trigger is checked at save; one that the record gives matches nothing when it is wrong. */
function checkPattern(call: Call): void {
  const pattern = call.operands[1];
  if (call.name !== 'match' || pattern?.kind !== 'literal' || typeof pattern.value !== 'string') return;
  const glob = compileGlob(pattern.value);
  if (!glob.ok) throw new TriggerSyntaxError(pattern.start, 'a pattern', 'a faulty one', glob.reason);
}
