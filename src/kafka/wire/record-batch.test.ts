/** Batches cost what their bytes are worth, at every level of compression. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

test('a small batch at the highest level of zstd takes little memory (P9)', async () => {
  const module = new URL('./record-batch.ts', import.meta.url).href;
  const program = `
    const { encodeRecordBatch } = await import(${JSON.stringify(module)});
    const message = { topic: 't', partition: 0, partitionKey: null, key: null, value: Buffer.from('value'), headers: [], timestampMs: 0 };
    const stamp = { producerId: -1n, producerEpoch: -1, baseSequence: -1 };
    const before = process.resourceUsage().maxRSS;
    await Promise.all([1, 2].map(() => encodeRecordBatch([message], stamp, 'zstd', 22)));
    console.log(process.resourceUsage().maxRSS - before);`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
  assert.ok(Number(stdout) < 100 * 1024, `${stdout} kB more`);
});
