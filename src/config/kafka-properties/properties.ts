/** The `kafka` field: an object of names and values, or the text of a properties file, with its secrets in their places. */
import type { JsonObject, JsonValue } from '../../model/index.ts';
import { isRawNumber } from '../../base/json.ts';
import { isOneReference } from '../references.ts';
import { childPath } from '../report.ts';
import type { LeafChange, Spec } from '../spec.ts';
import { isObject, kindOf } from '../values.ts';
import { HIDDEN_NAME, isHiddenName, isSecretName, isShownName, pathNames } from './names.ts';
import { readProperties } from './text.ts';

/** What the values are is said by the fields that they are translated to. */
export const kafkaProperties: Spec<JsonValue> = {
  schema: {
    anyOf: [
      { type: 'string', description: 'The text of a properties file.' },
      { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } },
    ],
  },
  read(value, at) {
    if (typeof value === 'string' || isObject(value)) return value;
    return at.problem(
      `must hold names and values of Kafka's clients, and is ${kindOf(value)}.`,
      'Paste the properties file as a block of text: `kafka: |`.',
    );
  },
  changeLeaves(value, path, change) {
    const properties = typeof value === 'string' && !isOneReference(value) ? propertiesOf(value) : value;
    return isObject(properties) ? changeProperties(properties, path, change) : value;
  },
};

/** A text as an object: each name once, with a list of its values where it stands more than once. */
export function propertiesOf(text: string): JsonObject {
  const properties = new Map<string, JsonValue>();
  for (const [name, value] of readProperties(text)) {
    const before = properties.get(name);
    if (before === undefined || before === value) properties.set(name, value);
    else properties.set(name, Array.isArray(before) ? [...before, value] : [before, value]);
  }
  return Object.fromEntries(properties);
}

/** What is not shown of what stands under a name: the name itself, or those that are kept behind stars. */
export function hiddenPart(name: string, value: JsonValue): readonly [name: string, value: JsonValue][] {
  if (isShownName(name)) return [];
  if (!isHiddenName(name) || typeof value !== 'string') return [[name, value]];
  try {
    const kept = JSON.parse(value) as JsonValue;
    return isObject(kept) ? Object.entries(kept) : [[name, value]];
  } catch {
    // What a reference gave stands in it now.
    return [[name, value]];
  }
}

function changeProperties(written: JsonObject, path: string, change: LeafChange): JsonObject {
  const properties = behindStars(written, path, change);
  const changed = Object.entries(properties).map(([name, value]): [string, JsonValue] => {
    const at = childPath(path, name);
    if (pathNames.has(name)) return [name, value === 'probe' ? value : change('path', value, at)];
    if (!isSecretName(name)) return [name, value];
    if (Array.isArray(value))
      return [name, value.map((one, index) => change('secret', asText(one), childPath(at, index)))];
    return [name, change('secret', asText(value), at)];
  });
  return Object.fromEntries(changed);
}

/** Promise 8: names that are not shown become one value, which is kept as a secret. */
function behindStars(written: JsonObject, path: string, change: LeafChange): JsonObject {
  const isKept = (name: string): boolean => isShownName(name) || isHiddenName(name);
  const names = Object.keys(written);
  if (names.every(isKept)) return written;
  const hidden = names
    .filter((name) => !isKept(name))
    .map((name): [string, JsonValue] => {
      const value = written[name]!;
      // Sealed as a value alone, by a Headrace before this one.
      return [name, isObject(value) && '@sealed' in value ? change('secret', value, childPath(path, name)) : value];
    });
  let stars = HIDDEN_NAME;
  while (Object.hasOwn(written, stars)) stars += '*';
  const shown = Object.entries(written).filter(([name]) => isKept(name));
  return Object.fromEntries([...shown, [stars, JSON.stringify(Object.fromEntries(hidden))]]);
}

/** A password of digits alone is a number in YAML, and a secret all the same. */
function asText(value: JsonValue): JsonValue {
  if (isRawNumber(value)) return value.rawJSON;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
}
