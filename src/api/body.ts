/** What a request must bring, checked by hand: few fields, and each fault named. */
import { HeadraceError, objectKinds, type JsonObject, type ObjectKind, type WrittenObject } from '../model/index.ts';

type Body = Readonly<Record<string, unknown>>;

/** The body as an object; none at all is an empty one. Throws HeadraceError. */
export function bodyOf(body: unknown): Body {
  if (body === undefined || body === null) return {};
  if (typeof body !== 'object' || Array.isArray(body)) throw wrong('', 'The body must be a JSON object.');
  return body as Body;
}

/** `[{kind, name, body}]` under the name given. */
export function objectsOf(body: Body, field: string): readonly WrittenObject[] {
  const value = body[field];
  if (!Array.isArray(value)) throw wrong(field, `${field} must be a list of objects.`);
  return value.map((one: unknown, index) => objectOf(one, `${field}[${index}]`));
}

/** The overlay, where the body has one. */
export function overlayOf(body: Body): readonly WrittenObject[] | undefined {
  return body['over'] === undefined || body['over'] === null ? undefined : objectsOf(body, 'over');
}

export function booleanOf(value: unknown, field: string, fallback: boolean): boolean {
  if (value === undefined || value === null) return fallback;
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw wrong(field, `${field} must be true or false.`);
}

export function textOf(value: unknown, field: string): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string') return value;
  throw wrong(field, `${field} must be text.`);
}

/** A whole number from 1 to `max`. */
export function limitOf(value: unknown, fallback: number, max: number): number {
  if (value === undefined || value === null) return fallback;
  const limit = Number(value);
  if (Number.isInteger(limit) && limit >= 1 && limit <= max) return limit;
  throw wrong('limit', `limit must be a whole number from 1 to ${max}.`);
}

function objectOf(value: unknown, path: string): WrittenObject {
  if (typeof value !== 'object' || value === null) throw wrong(path, `${path} must be an object.`);
  const { kind, name, body } = value as Body;
  if (!objectKinds.includes(kind as ObjectKind))
    throw wrong(`${path}.kind`, `${path}.kind must be one of ${objectKinds.join(', ')}.`);
  if (typeof name !== 'string' || name === '') throw wrong(`${path}.name`, `${path}.name must be a name.`);
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw wrong(`${path}.body`, `${path}.body must be an object.`);
  return { kind: kind as ObjectKind, name, body: body as JsonObject };
}

function wrong(path: string, message: string): HeadraceError {
  return new HeadraceError('config_invalid', message, {
    ...(path === '' ? {} : { path }),
    remedy: 'Compare the request with /api/openapi.json.',
  });
}
