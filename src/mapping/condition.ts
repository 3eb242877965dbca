/** Which records pass a sync: its trigger, checked when saved and compiled once. */
import { HeadraceError, type JsonValue, type Problem } from '../model/index.ts';
import { compileTrigger, parseTrigger, triggerProblem } from './triggers/index.ts';

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
