/** Which records pass a sync: its trigger, checked when saved and compiled once. */
import { HeadraceError, type JsonValue, type Problem } from '../model/index.ts';
import {
  compileTrigger,
  explainTrigger,
  parseTrigger,
  triggerProblem,
  type ExplainedClause,
} from './triggers/index.ts';
import { shown } from './refusal.ts';

/** Whether a record passes. Never throws: what cannot be decided does not pass. */
export type Condition = (data: JsonValue) => boolean;

/** The problem of a trigger's text, with line and column; none when it is a trigger. */
export function checkTrigger(trigger: string, path: string): Problem[] {
  const parsed = parseTrigger(trigger);
  return parsed.ok ? [] : [triggerProblem(parsed.error, path)];
}

/** Null lets every record pass. Throws HeadraceError for a text that `checkTrigger` has a problem with. */
export function compileCondition(trigger: string | null): Condition | null {
  if (trigger === null) return null;
  const parsed = parseTrigger(trigger);
  if (!parsed.ok) throw new HeadraceError('config_invalid', parsed.error.message, { path: 'trigger' });
  return compileTrigger(parsed.trigger);
}

/** Says of a record that the trigger holds back which clauses did it, and what they found. */
export function compileReason(trigger: string): (data: JsonValue) => string {
  const parsed = parseTrigger(trigger);
  if (!parsed.ok) return () => trigger;
  return (data) => decidingLeaves(explainTrigger(parsed.trigger, data).clause).map(clauseText).join('; ');
}

function decidingLeaves(clause: ExplainedClause): ExplainedClause[] {
  if (!clause.decided) return [];
  return clause.kind === 'clause' ? [clause] : clause.clauses.flatMap(decidingLeaves);
}

function clauseText({ text, values }: ExplainedClause): string {
  const found = values.map((one) => `${one.text} is ${one.absent ? 'not there' : shown(one.value)}`);
  return found.length === 0 ? text : `${text} (${found.join(', ')})`;
}
