/** Reads a field by its name, as fast as if the name stood in the source text. */

/** The field's value: null of null, undefined of what has no fields. */
export type Reader = (value: unknown) => unknown;

/**
 * A reader for a name that no built-in prototype knows, so that only own properties can answer to it. The engine
 * remembers per place in the source text where objects keep a field: a place that reads many names remembers none, and
 * takes three times as long. So each of the first names has a place of its own; the others share one.
 */
export function readerOf(name: string): Reader {
  let reader = readers.get(name);
  if (reader !== undefined) return reader;
  reader = places[Math.min(readers.size, places.length - 1)]!(name);
  // Paths that records compute could be without end: what shares a place need not be kept.
  if (readers.size < places.length - 1) readers.set(name, reader);
  return reader;
}

const readers = new Map<string, Reader>();

type Fields = Record<string, unknown>;

// The same text on purpose, see above.
// prettier-ignore
const places: readonly ((name: string) => Reader)[] = [
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
  (n) => (v) => (typeof v === 'object' && v !== null ? (v as Fields)[n] : v === null ? null : undefined),
];
