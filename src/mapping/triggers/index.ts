/** Triggers: which records pass. The language is told in docs/reference/triggers.md. */
export { explainText, type TriggerAnswer } from './answer.ts';
export { compileTrigger, type Condition } from './compile.ts';
export { triggerProblem, type TriggerError } from './errors.ts';
export {
  explainTrigger,
  explanationText,
  type ExplainedClause,
  type ExplainedValue,
  type Explanation,
} from './explain.ts';
export { formatTrigger } from './format.ts';
export { lintTrigger, segmentEquivalent, type TriggerLint } from './lint.ts';
export { parseTrigger, type ParsedTrigger } from './parse.ts';
export {
  MAX_TRIGGER_DEPTH,
  MAX_TRIGGER_LENGTH,
  triggerFields,
  type Expression,
  type FunctionName,
  type Trigger,
} from './syntax.ts';
