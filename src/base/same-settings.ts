/** Whether two settings are the same, their secrets included. */
import { Secret } from './secret.ts';

/** Values of JSON's kinds and secrets, which are the same when what they hold is. An undefined field is an absent one. */
export function sameSettings(a: unknown, b: unknown): boolean {
  if (a instanceof Secret || b instanceof Secret) {
    return a instanceof Secret && b instanceof Secret && a.reveal() === b.reveal();
  }
  if (!isContainer(a) || !isContainer(b)) return Object.is(a, b);
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [one, other] = [a, b] as [Record<string, unknown>, Record<string, unknown>];
  return Object.keys({ ...one, ...other }).every((key) => sameSettings(one[key], other[key]));
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
