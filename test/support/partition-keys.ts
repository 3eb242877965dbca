/** Keys by which partitioners are compared with the clients they follow. */
import { createHash } from 'node:crypto';

const texts = ['', 'a', 'user-', 'ключ', '鍵', '🔑', 'naïve', 'الم', '\u0000', ' '];

/** The same keys for the same count: the empty one, random bytes of all short lengths and some long ones, text in many scripts. */
export function partitionKeys(count: number): Buffer[] {
  const others = Array.from({ length: count - 1 }, (_, i) => {
    const hash = createHash('sha512').update(String(i)).digest();
    if (i % 3 === 0) return hash.subarray(0, i % 65);
    if (i % 3 === 1) return Buffer.from(`${texts[i % texts.length]}${i}`);
    return Buffer.concat([hash, hash, hash]).subarray(0, i % 193);
  });
  return [Buffer.alloc(0), ...others];
}

/** Every number of partitions up to 50, and some larger ones. */
export const partitionCounts: readonly number[] = [...Array.from({ length: 50 }, (_, i) => i + 1), 100, 1009, 4096];
