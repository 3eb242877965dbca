/** A leader that says nothing is left as soon as the cluster has another one (G6). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heldClock } from '../../../test/support/held-clock.ts';
import { LeaderWatch } from './leader-watch.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('who waits is told once another broker leads, and nobody who waits for one that still does', async () => {
  const clock = heldClock();
  let leaders = [1, 2, 1];
  const looks: string[] = [];
  const watch = new LeaderWatch(async (topic) => (looks.push(topic), { errorCode: 0, leaders }), clock);
  const moved: number[] = [];
  for (const [partition, leader] of leaders.entries())
    watch.begin({ topic: 't', partition, leader }, () => moved.push(partition));
  const to = async (ms: number): Promise<void> => {
    clock.to(ms);
    await turn();
  };
  await to(500);
  assert.deepEqual(looks, [], 'nobody waits long yet');
  await to(1000);
  assert.deepEqual(looks, ['t'], 'one question for all of a topic');
  leaders = [-1, 2, -1];
  await to(1500);
  assert.deepEqual(moved, [], 'without a leader there is nobody to go to');
  leaders = [3, 2, -1];
  await to(2000);
  leaders = [3, 2, 2];
  await to(2500);
  assert.deepEqual(moved, [0, 2]);
});

test('a question that fails is asked again; nothing is asked when all are answered', async () => {
  const clock = heldClock();
  let looks = 0;
  const watch = new LeaderWatch(async () => {
    looks++;
    throw new Error('no broker answers');
  }, clock);
  const end = watch.begin({ topic: 't', partition: 0, leader: 1 }, () => assert.fail('moved'));
  for (const ms of [500, 1000, 1500]) {
    clock.to(ms);
    await turn();
  }
  assert.equal(looks, 2);
  end();
  for (const ms of [2000, 2500, 3000]) {
    clock.to(ms);
    await turn();
  }
  assert.equal(looks, 2);
});
