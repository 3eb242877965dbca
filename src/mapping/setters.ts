/** Sets a field by its name, as fast as if the name stood in the source text. */
import { setMember } from './object.ts';

export type Setter = (object: Fields, value: unknown) => void;

/**
 * As in `readers.ts`: the engine remembers per place in the source text which field objects gain there. So each of the
 * first names has a place of its own, and the others share one: objects are built in two thirds of the time.
 */
export function setterOf(name: string): Setter {
  if (name === '__proto__') return (object, value) => setMember(object, name, value);
  let setter = setters.get(name);
  if (setter !== undefined) return setter;
  setter = places[Math.min(setters.size, places.length - 1)]!(name);
  if (setters.size < places.length - 1) setters.set(name, setter);
  return setter;
}

const setters = new Map<string, Setter>();

type Fields = Record<string, unknown>;

// The same text on purpose, see above.
// prettier-ignore
const places: readonly ((name: string) => Setter)[] = [
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
  (n) => (o, v) => { o[n] = v; },
];
