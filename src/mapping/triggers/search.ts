/** Finding a text in a text in linear time, whatever the two are (the engine's own search is not). */

export type Search = (text: string, from: number) => number;

// Up to here the engine's search costs at most this many looks per character, and is far faster as a rule.
const SHORT_NEEDLE = 32;

/** A search for one needle: its index at or after `from`, or -1. */
export function compileSearch(needle: string): Search {
  if (needle.length <= SHORT_NEEDLE) return (text, from) => text.indexOf(needle, from);
  let borders: Int32Array | null = null;
  return (text, from) => {
    if (text.length - from < needle.length) return -1;
    borders ??= bordersOf(needle);
    return knuthMorrisPratt(text, needle, borders, from);
  };
}

/** Whether a text has the needle in it. */
export function compileContains(needle: string): (text: string) => boolean {
  if (needle.length <= SHORT_NEEDLE) return (text) => text.includes(needle);
  const find = compileSearch(needle);
  return (text) => find(text, 0) !== -1;
}

function knuthMorrisPratt(text: string, needle: string, borders: Int32Array, from: number): number {
  let matched = 0;
  for (let at = from; at < text.length; at++) {
    const character = text.charCodeAt(at);
    while (matched > 0 && needle.charCodeAt(matched) !== character) matched = borders[matched - 1]!;
    if (needle.charCodeAt(matched) === character) matched++;
    if (matched === needle.length) return at - matched + 1;
  }
  return -1;
}

/** For each prefix of the needle, the length of its longest proper prefix that is also its suffix. */
function bordersOf(needle: string): Int32Array {
  const borders = new Int32Array(needle.length);
  let border = 0;
  for (let at = 1; at < needle.length; at++) {
    const character = needle.charCodeAt(at);
    while (border > 0 && needle.charCodeAt(border) !== character) border = borders[border - 1]!;
    if (needle.charCodeAt(border) === character) border++;
    borders[at] = border;
  }
  return borders;
}
