/** A destination as it goes over a pipe: plain data, its secrets in the open. Only ever sent to the doctor's own process. */
import { Secret } from '../../base/secret.ts';
import type { DestinationConfig } from '../../model/index.ts';

/** No field of a configuration has this name. */
const MARK = '\0secret';

/** Secrets as they are now, re-read where they come from files. */
export function pack(destination: DestinationConfig): unknown {
  return packed(destination);
}

export function unpack(parcel: unknown): DestinationConfig {
  return unpacked(parcel) as DestinationConfig;
}

function packed(value: unknown): unknown {
  if (value instanceof Secret) return { [MARK]: value.current() };
  if (Array.isArray(value)) return value.map(packed);
  return typeof value === 'object' && value !== null ? mapped(value, packed) : value;
}

function unpacked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unpacked);
  if (typeof value !== 'object' || value === null) return value;
  const secret = (value as { [MARK]?: unknown })[MARK];
  return typeof secret === 'string' ? new Secret(secret) : mapped(value, unpacked);
}

function mapped(value: object, change: (one: unknown) => unknown): object {
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, change(one)]));
}
