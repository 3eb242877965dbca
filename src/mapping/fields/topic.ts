/** The topic: a name that Kafka allows, or the record is rejected. */
import { isRawNumber } from '../../base/json.ts';
import type { JsonValue, Problem } from '../../model/index.ts';
import type { Evaluate, Expression } from '../expression.ts';
import { checkMapping, compileExpression } from '../mapping.ts';
import { checkTopicRules, compileTopicRules, isTopicRules } from './topic-rules.ts';
import { Refusal, shown } from '../refusal.ts';
import { textOf } from '../text.ts';

/** What is wrong with a topic name, or null: 1 to 249 of the characters that Kafka allows, not `.` or `..`, and none of Kafka's own. */
export function topicNameFault(name: string): string | null {
  if (name === '') return 'it is empty';
  if (name === '.' || name === '..') return 'a topic cannot be named "." or ".."';
  if (!allowed.test(name)) return 'only letters, digits, ".", "_" and "-" are allowed';
  if (kept.has(name)) return 'Kafka keeps this topic for itself';
  if (name.length > 249) return `it is ${name.length} characters long, and 249 is the most`;
  return null;
}

/** Brokers refuse what clients write there, some with words that lead nowhere. */
const kept: ReadonlySet<string> = new Set([
  '__consumer_offsets',
  '__transaction_state',
  '__share_group_state',
  '__cluster_metadata',
]);
const allowed = /^[A-Za-z0-9._-]*$/;

export function checkTopic(value: unknown, at: string): Problem[] {
  return isTopicRules(value) ? checkTopicRules(value, at, checkOneTopic) : checkOneTopic(value, at);
}

/** The expression of a topic that `checkTopic` passed. */
export function topicExpression(value: JsonValue): Expression {
  return isTopicRules(value) ? compileTopicRules(value) : compileExpression(value);
}

function checkOneTopic(value: unknown, at: string): Problem[] {
  const problems = checkMapping(value, at);
  if (problems.length > 0) return problems;
  const expression = compileExpression(value as JsonValue);
  if (expression.constant === null) return [];
  const fault = constantFault(expression.constant.value);
  if (fault === null) return [];
  return [{ path: at, reason: `${shown(value)} is no topic name: ${fault}`, remedy: 'write a name like "orders.v1"' }];
}

function constantFault(value: unknown): string | null {
  return typeof value === 'string' || typeof value === 'number' ? topicNameFault(textOf(value)) : 'it is not text';
}

/** Gives the topic's name; throws Refusal (`topic_invalid`). */
export function compileTopic(expression: Expression): (...input: Parameters<Evaluate>) => string {
  if (expression.constant !== null) {
    const name = textOf(expression.constant.value);
    return () => name;
  }
  const evaluate = expression.evaluate;
  // Most records go to few topics: a name that was found good lately is not looked at again.
  const good = new Set<string>();
  return (root, record, context) => {
    const value = evaluate(root, record, context);
    if (typeof value === 'string' && good.has(value)) return value;
    if (value === undefined || value === null)
      throw new Refusal('topic_invalid', 'topic', 'topic: the mapping gives none');
    const name = textOf(value);
    const fault = typeof value === 'object' && !isRawNumber(value) ? 'it is not text' : topicNameFault(name);
    if (fault !== null) throw new Refusal('topic_invalid', 'topic', `topic: ${shown(name)} is no topic name: ${fault}`);
    if (good.size >= 1000) good.clear();
    good.add(name);
    return name;
  };
}
