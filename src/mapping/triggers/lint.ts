/** Where a trigger would not do in Segment what it does here, and where it can never do anything. */
import { formatExpression } from './format.ts';
import { compilePlaces } from './errors.ts';
import { parseTrigger } from './parse.ts';
import { readAsSegment, type Departure } from './segment-reading.ts';
import { segmentRules, type SegmentRuleName } from './segment-rules.ts';
import { staticType, type Comparison, type Expression, type TypeName } from './syntax.ts';

// A text of 100,000 characters may have a fault in each; nobody reads more than the first.
const MAX_LINTS = 100;
const MAX_READING = 500;

export interface TriggerLint {
  /** A rule of docs/reference/triggers.md; `never_true` is about the trigger itself, all others about Segment. */
  readonly rule: SegmentRuleName | 'never_true';
  readonly message: string;
  readonly line: number;
  readonly column: number;
  readonly offset: number;
}

/**
 * Compares the trigger's meaning with what Segment's own evaluator would make of the same text, in the order of the
 * text, at most 100. No lint of a Segment rule means that both give the same answer for every record whose paths go
 * through objects. Never throws; a text that neither can read gives none.
 */
export function lintTrigger(text: string): TriggerLint[] {
  const parsed = parseTrigger(text);
  const findings = segmentFindings(text, parsed.ok ? parsed.trigger.condition : null);
  if (parsed.ok) addNeverTrue(parsed.trigger.condition, findings);
  const placeOf = compilePlaces(text);
  return findings
    .sort((a, b) => a.offset - b.offset)
    .slice(0, MAX_LINTS)
    .map((finding) => ({ ...finding, ...placeOf(finding.offset) }));
}

/** The trigger that does here what Segment did with this text, or null where Segment never sent anything. */
export function segmentEquivalent(text: string): string | null {
  const reading = readAsSegment(text);
  return reading.reads ? formatExpression(reading.condition) : null;
}

type Finding = Pick<TriggerLint, 'rule' | 'message' | 'offset'>;

function segmentFindings(text: string, ours: Expression | null): Finding[] {
  const reading = readAsSegment(text);
  if (!reading.reads) {
    if (ours === null) return [];
    return findingsOf(reading.departures, `${reading.reason}; Segment would never send a record`);
  }
  if (ours !== null && sameMeaning(ours, reading.condition)) return [];
  const departures = reading.departures.length > 0 ? reading.departures : [{ rule: 'ignored', start: 0 } as const];
  const equivalent = formatExpression(reading.condition);
  const short = equivalent.length > MAX_READING ? `${equivalent.slice(0, MAX_READING)}…` : equivalent;
  return findingsOf(departures, `Segment would treat this as \`${short}\``);
}

function findingsOf(departures: readonly Departure[], end: string): Finding[] {
  const seen = new Set<string>();
  return departures.flatMap(({ rule, start }) => {
    if (seen.has(`${rule} ${start}`)) return [];
    seen.add(`${rule} ${start}`);
    return [{ rule, message: `Segment ${segmentRules[rule].segment}: ${end}`, offset: start }];
  });
}

/** Whether the two trees are the same but for parentheses that change nothing. */
function sameMeaning(left: Expression, right: Expression): boolean {
  return formatExpression(flatten(left)) === formatExpression(flatten(right));
}

function flatten(expression: Expression): Expression {
  if (expression.kind === 'not') return { ...expression, clause: flatten(expression.clause) };
  if (expression.kind !== 'and' && expression.kind !== 'or') return expression;
  const { kind } = expression;
  const clauses = expression.clauses
    .map(flatten)
    .flatMap((clause) => (clause.kind === kind ? clause.clauses : [clause]));
  return { ...expression, clauses };
}

/** Comparisons whose types can never fit. */
function addNeverTrue(expression: Expression, findings: Finding[]): void {
  const add = (part: Expression, message: string): void => {
    findings.push({ rule: 'never_true', message, offset: part.start });
  };
  if (expression.kind === 'compare') {
    const reason = neverTrue(expression);
    if (reason !== null) add(expression, reason);
  } else if (expression.kind === 'not') addNeverTrue(expression.clause, findings);
  else if (expression.kind === 'and' || expression.kind === 'or')
    for (const clause of expression.clauses) addNeverTrue(clause, findings);
  else if (expression.kind === 'call' && (expression.name === 'contains' || expression.name === 'match')) {
    const wrong = expression.operands.find((operand) => !mayBe(operand, 'string'));
    if (wrong !== undefined) add(wrong, `${expression.name} looks at text: this is never true`);
  }
}

function neverTrue({ operator, left, right }: Comparison): string | null {
  if (operator === '!=') return null;
  if (operator === 'in') return mayBe(right, 'list') ? null : '`in` looks into a list: this is never true';
  if (operator !== '=')
    return mayBe(left, 'number') && mayBe(right, 'number')
      ? null
      : `\`${operator}\` compares numbers: this is never true`;
  const [a, b] = [staticType(left), staticType(right)];
  const fit = a === null || b === null || a === b || mayBeNull(left, b) || mayBeNull(right, a);
  return fit ? null : `a ${a} is never equal to a ${b}`;
}

function mayBe(expression: Expression, type: TypeName): boolean {
  const known = staticType(expression);
  return known === null || known === type;
}

/** Functions of a null may give null. */
function mayBeNull(expression: Expression, other: TypeName | null): boolean {
  return expression.kind === 'call' && other === 'null';
}
