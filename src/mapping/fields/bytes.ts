/** A value as the bytes of a key or a header. */
import { isRawNumber } from '../../base/json.ts';
import { beginBytes, takeBytes, writeText } from '../../base/json-writer.ts';
import { textOf } from '../text.ts';
import { Refusal, shown } from '../refusal.ts';

/**
 * Text as UTF-8, numbers and booleans as JSON prints them, objects and lists as JSON, `{base64: …}` as the bytes it
 * stands for; null and absent give null. Throws Refusal (`mapping_failed`) naming `field`.
 */
export function bytesOf(value: unknown, field: string): Buffer | null {
  if (typeof value === 'string') return encode(value);
  if (value === undefined || value === null) return null;
  if (typeof value !== 'object') return encode(textOf(value));
  if (isRawNumber(value)) return encode(value.rawJSON);
  const base64 = base64Of(value);
  if (base64 === undefined) return encode(JSON.stringify(value));
  if (typeof base64 === 'string' && isBase64(base64)) return Buffer.from(base64, 'base64');
  throw new Refusal('mapping_failed', field, `${field}: ${shown(base64)} is not base64 text`);
}

/** Of either alphabet, with its padding or without; one character repeated, since megabytes of groups overflow the engine. */
const base64Text = /^[A-Za-z0-9+/_-]*(={0,2})$/;

function isBase64(text: string): boolean {
  const padding = base64Text.exec(text)?.[1]?.length;
  if (padding === undefined) return false;
  return padding === 0 ? text.length % 4 !== 1 : text.length % 4 === 0;
}

/** The member of an object that has `base64` and nothing else; undefined for any other. */
function base64Of(value: object): unknown {
  if (!Object.hasOwn(value, 'base64') || Object.keys(value).length !== 1) return undefined;
  return (value as { base64: unknown }).base64;
}

function encode(text: string): Buffer {
  beginBytes();
  writeText(text);
  return takeBytes();
}
