/** Objects back to YAML: as written, without the values of secrets. */
import { Document, isScalar, Scalar, visit, type ScalarTag } from 'yaml';
import { isRawNumber } from '../base/json.ts';
import { objectKinds, type JsonObject, type WrittenObject } from '../model/index.ts';
import { hideSecrets } from './secrets.ts';
import { sections } from './written.ts';

/** The objects, secrets hidden, in the shape of the file. */
export function exportObjects(objects: readonly WrittenObject[]): JsonObject {
  const file: JsonObject = {};
  for (const kind of objectKinds) {
    const ofKind = objects.filter((object) => object.kind === kind).map(hideSecrets);
    if (ofKind.length > 0) file[sections[kind]] = Object.fromEntries(ofKind.map(({ name, body }) => [name, body]));
  }
  return file;
}

/** One YAML document that `apply` takes again. Empty text for no objects. */
export function exportYaml(objects: readonly WrittenObject[]): string {
  if (objects.length === 0) return '';
  // As JSON, and so the state, prints it: a minus zero whose digits count is no double but kept as written.
  const plainZero = (_key: unknown, value: unknown): unknown => (Object.is(value, -0) ? 0 : value);
  const document = new Document(exportObjects(objects), plainZero, {
    version: '1.2',
    schema: 'core',
    customTags: [digits],
    aliasDuplicateObjects: false,
  });
  visit(document, {
    Pair(_index, { key }) {
      // Plain, it would merge.
      if (isScalar(key) && key.value === '<<') key.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return document.toString({ lineWidth: 0 });
}

/** Numbers whose digits a double would change print as they were written. */
const digits: ScalarTag = {
  tag: 'tag:yaml.org,2002:float',
  default: true,
  identify: isRawNumber,
  resolve: (text) => text,
  stringify: ({ value }) => (isRawNumber(value) ? value.rawJSON : String(value)),
};
