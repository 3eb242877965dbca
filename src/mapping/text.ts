/** A value as text, where a mapping needs text: templates, topics, keys and headers. */
import { isRawNumber } from '../base/json.ts';

/** Absent and null give the empty text; numbers their digits; objects and lists their JSON. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === undefined || value === null) return '';
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  return isRawNumber(value) ? value.rawJSON : JSON.stringify(value);
}

/** Neither absent, null nor the empty text. */
export function hasContent(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}
