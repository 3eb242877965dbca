/** The JSON Schema of the configuration file, made from the specs that check it. */
import { objectKinds, type JsonObject } from '../model/index.ts';
import { kindSpecs, sections } from './written.ts';

const ofSection = {
  destination: 'Kafka clusters by name.',
  source: 'Places that records come from, by name.',
  sync: 'Flows from a source to a destination, by name.',
} as const;

/** Draft 7, which editors know. References are allowed wherever a value is. */
export function configurationSchema(): JsonObject {
  const properties: JsonObject = {};
  const definitions: JsonObject = {};
  for (const kind of objectKinds) {
    definitions[kind] = kindSpecs[kind].schema;
    properties[sections[kind]] = {
      description: ofSection[kind],
      type: ['object', 'null'],
      additionalProperties: { $ref: `#/definitions/${kind}` },
    };
  }
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Headrace configuration',
    type: 'object',
    properties,
    additionalProperties: false,
    definitions,
  };
}
