/** The same seed gives the same plan; names give streams of their own. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { random } from './random.ts';

const draw = (name: string, seed: bigint): number[] => {
  const stream = random(name, seed);
  return Array.from({ length: 20 }, () => stream.below(1_000_000));
};

test('a seed and a name repeat their numbers, another seed or name gives others', () => {
  assert.deepEqual(draw('faults', 42n), draw('faults', 42n));
  assert.notDeepEqual(draw('faults', 42n), draw('faults', 43n));
  assert.notDeepEqual(draw('faults', 42n), draw('load', 42n));
});

test('drawing from one sub-stream does not move another', () => {
  const first = random('run', 7n);
  const second = random('run', 7n);
  for (let i = 0; i < 100; i++) first.stream('load').next();
  first.next();
  assert.deepEqual(first.stream('faults').bytes(16), second.stream('faults').bytes(16));
});

test('numbers are even and within their bounds', () => {
  const stream = random('even', 1n);
  const counts = Array.from({ length: 10 }, () => 0);
  for (let i = 0; i < 100_000; i++) {
    const value = stream.between(5, 14);
    counts[value - 5]!++;
  }
  for (const count of counts) assert.ok(count > 9500 && count < 10_500, `counts ${counts.join(' ')}`);
  assert.equal(new Set(stream.shuffle([1, 2, 3, 4, 5])).size, 5);
  assert.throws(() => stream.pick([]), /empty/);
});

test('HEADRACE_SEED fixes the seed of a process, and nonsense is refused', () => {
  const module = JSON.stringify(new URL('random.ts', import.meta.url).href);
  const code = `const r = await import(${module}); process.stdout.write(String(r.seed) + ' ' + r.random('x').below(1e9));`;
  const run = (value: string): ReturnType<typeof spawnSync> =>
    spawnSync(process.execPath, ['-e', code], {
      env: { ...process.env, HEADRACE_SEED: value },
      encoding: 'utf8',
    });
  const [decimal, hexadecimal] = [run('255'), run('0xff')];
  assert.equal(decimal.stdout, `255 ${random('x', 255n).below(1e9)}`);
  assert.equal(hexadecimal.stdout, decimal.stdout);
  assert.match(String(run('many').stderr), /HEADRACE_SEED must be a whole number/);
});
