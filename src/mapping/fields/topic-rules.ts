/** Topic rules: a topic by operation, by track event, by event type, or as the event itself asks. */
import type { JsonValue, Problem } from '../../model/index.ts';
import { isObject } from '../directive.ts';
import { checkMembers } from '../directives/members.ts';
import { computed, unionFields, type Expression } from '../expression.ts';
import { compileExpression, directiveNameOf } from '../mapping.ts';

/** An object that is no directive: for a topic, which is text, it can only be rules. */
export function isTopicRules(value: unknown): value is { [key: string]: JsonValue } {
  return isObject(value) && directiveNameOf(value) === null && !Object.keys(value).some((name) => name.startsWith('@'));
}

/**
 * `{integrations, operations, events, types, default}`; each topic of them is itself a mapping, checked by `checkOne`.
 * Looked at in this order: the event's own `integrations.Kafka.topic`, the operation, the name of a track event, the
 * type, the default.
 */
export function checkTopicRules(
  rules: { [key: string]: JsonValue },
  at: string,
  checkOne: (value: unknown, at: string) => Problem[],
): Problem[] {
  const problems = checkMembers(rules, at, ['integrations', 'operations', 'events', 'types', 'default']);
  if (Object.hasOwn(rules, 'integrations') && typeof rules.integrations !== 'boolean')
    problems.push({
      path: `${at}.integrations`,
      reason: 'true or false is expected here',
      remedy: 'write integrations: true',
    });
  if (Object.hasOwn(rules, 'default')) problems.push(...checkOne(rules.default, `${at}.default`));
  for (const name of ['operations', 'events', 'types']) {
    if (!Object.hasOwn(rules, name)) continue;
    const map = rules[name];
    if (!isObject(map) || Object.keys(map).length === 0) {
      problems.push({
        path: `${at}.${name}`,
        reason: 'topics by name are expected here',
        remedy: `write ${examples[name]}`,
      });
      continue;
    }
    if (name === 'types') problems.push(...sameTypes(Object.keys(map), `${at}.types`));
    if (name === 'operations') problems.push(...checkMembers(map, `${at}.${name}`, ['created', 'updated', 'deleted']));
    for (const key of Object.keys(map)) problems.push(...checkOne(map[key], `${at}.${name}.${key}`));
  }
  if (Object.keys(rules).length === 0)
    problems.push({
      path: at,
      reason: 'the rules are empty',
      remedy: 'write {types: {identify: people}, default: events}',
    });
  return problems;
}

/** Types are compared without case: of two that differ in nothing else one would never be looked at. */
function sameTypes(names: readonly string[], at: string): Problem[] {
  return names
    .filter((name, index) => names.slice(0, index).some((other) => other.toLowerCase() === name.toLowerCase()))
    .map((name) => ({
      path: `${at}.${name}`,
      reason: 'the type is there twice, as types are compared without case',
      remedy: 'keep one of them',
    }));
}

const examples: { readonly [name: string]: string } = {
  operations: '{created: orders, deleted: orders.gone}',
  events: '{Order Completed: orders}',
  types: '{identify: people}',
};

/** Gives nothing where no rule speaks of the record. */
export function compileTopicRules(rules: { [key: string]: JsonValue }): Expression {
  const operations = compileMap(rules.operations, (name) => name);
  const events = compileMap(rules.events, (name) => name);
  const types = compileMap(rules.types, (name) => name.toLowerCase());
  const standard = Object.hasOwn(rules, 'default') ? compileExpression(rules.default!) : null;
  const asked = rules.integrations === true;
  const choose = (data: { [key: string]: JsonValue }, operation: string): Expression | null => {
    const { event } = data;
    const type = typeof data.type === 'string' ? data.type.toLowerCase() : '';
    return (
      operations?.get(operation) ??
      (type === 'track' && typeof event === 'string' ? events?.get(event) : undefined) ??
      types?.get(type) ??
      standard
    );
  };
  const topics = [operations, events, types].flatMap((map) => (map === null ? [] : [...map.values()]));
  const all = standard === null ? topics : [...topics, standard];
  const own = computed(() => undefined, asked ? ['integrations', 'type', 'event'] : ['type', 'event']);
  return computed(
    (root, record, context) => {
      const data = isObject(root) ? root : {};
      const wanted = asked ? askedTopic(data.integrations) : undefined;
      return wanted ?? choose(data, record.operation)?.evaluate(root, record, context);
    },
    unionFields([...all, own]),
  );
}

function compileMap(map: JsonValue | undefined, keyOf: (name: string) => string): Map<string, Expression> | null {
  if (!isObject(map)) return null;
  return new Map(Object.keys(map).map((name) => [keyOf(name), compileExpression(map[name]!)]));
}

/** `integrations.Kafka.topic`, the name in any case. */
function askedTopic(integrations: JsonValue | undefined): string | undefined {
  if (!isObject(integrations)) return undefined;
  for (const name of Object.keys(integrations)) {
    const settings = integrations[name];
    if (name.toLowerCase() !== 'kafka' || !isObject(settings)) continue;
    if (Object.hasOwn(settings, 'topic') && typeof settings.topic === 'string' && settings.topic !== '')
      return settings.topic;
  }
  return undefined;
}
