/** Our partitions are Java's, asked of the Java client itself. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { partitionOfKey } from '../../src/kafka/index.ts';
import { javaPartitions } from '../support/oracle.ts';

/** Deterministic keys of every kind: random bytes of all short lengths and some long ones, text in many scripts, digits. */
function keys(count: number): Buffer[] {
  const texts = ['', 'a', 'user-', 'ключ', '鍵', '🔑', 'naïve', 'الم', '\u0000', ' '];
  return Array.from({ length: count }, (_, i) => {
    const hash = createHash('sha512').update(String(i)).digest();
    if (i % 3 === 0) return hash.subarray(0, i % 65);
    if (i % 3 === 1) return Buffer.from(`${texts[i % texts.length]}${i}`);
    return Buffer.concat([hash, hash, hash]).subarray(0, i % 193);
  });
}

test('the partition of 10,000 keys equals Java’s for every number of partitions from 1 to 50', async () => {
  const all = [Buffer.alloc(0), ...keys(9_999)];
  const counts = Array.from({ length: 50 }, (_, i) => i + 1);
  const rows = await javaPartitions(all, counts);
  counts.forEach((count, row) => {
    const ours = all.map((key) => partitionOfKey(key, count));
    assert.deepEqual(ours, rows[row], `with ${count} partitions`);
  });
});
