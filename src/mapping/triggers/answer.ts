/** The answer to "does this record pass this trigger, and why": for people and for programs. */
import { HeadraceError, type JsonObject, type JsonValue } from '../../model/index.ts';
import { excerpt, triggerProblem } from './errors.ts';
import { explainTrigger, explanationText } from './explain.ts';
import { lintTrigger } from './lint.ts';
import { parseTrigger } from './parse.ts';

export interface TriggerAnswer {
  readonly passed: boolean;
  readonly text: string;
  readonly json: JsonObject;
}

/** Explains a trigger as written for one record, with its lints. Throws HeadraceError with the place where it does not parse. */
export function explainText(trigger: string, record: JsonValue): TriggerAnswer {
  const parsed = parseTrigger(trigger);
  if (!parsed.ok) {
    const { reason, remedy } = triggerProblem(parsed.error, 'trigger');
    throw new HeadraceError('config_invalid', `${reason}\n${excerpt(trigger, parsed.error)}`, {
      path: 'trigger',
      remedy,
    });
  }
  const explanation = explainTrigger(parsed.trigger, record);
  const lints = lintTrigger(trigger);
  const notes = lints.map(({ line, column, message }) => `line ${line}, column ${column}: ${message}`);
  const text = [explanationText(explanation), ...(notes.length > 0 ? ['', ...notes] : [])].join('\n');
  return { passed: explanation.passed, text, json: { ...explanation, lints } as unknown as JsonObject };
}
