/** A configuration object as a person wrote it: what is stored, compared and exported. */
import type { JsonValue } from './record.ts';

export type ObjectKind = 'destination' | 'source' | 'sync';

/** In the order in which they depend on one another. */
export const objectKinds: readonly ObjectKind[] = ['destination', 'source', 'sync'];

export interface JsonObject {
  [key: string]: JsonValue;
}

/** References (`${NAME}`, `${file:…}`) as written, relative paths made absolute, plain secrets sealed once stored. */
export interface WrittenObject {
  readonly kind: ObjectKind;
  readonly name: string;
  readonly body: JsonObject;
}

export interface StoredObject extends WrittenObject {
  /** 1 when created, one more with each change. */
  readonly version: number;
  /** ISO 8601 UTC with milliseconds. */
  readonly updatedAt: string;
}
