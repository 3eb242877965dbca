/** How deep a JSON tree is: what is too deep breaks those who read it later. */

/** Arrays and objects may stand in one another this deep; deeper ones are only ever sent to break a reader. */
export const maxDepth = 64;

/** Whether the tree has more than `levels` levels of arrays and objects; looks no deeper than that. */
export function isDeeperThan(value: object, levels: number): boolean {
  if (levels === 0) return true;
  if (Array.isArray(value)) {
    for (const item of value as unknown[])
      if (typeof item === 'object' && item !== null && isDeeperThan(item, levels - 1)) return true;
    return false;
  }
  for (const key in value) {
    const item: unknown = (value as Record<string, unknown>)[key];
    if (typeof item === 'object' && item !== null && isDeeperThan(item, levels - 1)) return true;
  }
  return false;
}
