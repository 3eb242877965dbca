/** Processes by pid and start time. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { endProcess, isAlive, recordOf, signalProcess, waitForExit } from './processes.ts';

test('a recorded process is known while it lives, and no longer', async () => {
  const child = spawn('sleep', ['60']);
  const record = recordOf(child.pid ?? 0);
  assert.ok(record && isAlive(record));
  assert.deepEqual(recordOf(record.pid), record);
  assert.equal(await waitForExit(record, 1), false);
  child.kill('SIGKILL');
  assert.equal(await waitForExit(record, 5000), true);
  assert.equal(recordOf(record.pid), null);
});

test('a recycled pid gets no signal', async () => {
  const child = spawn('sleep', ['60']);
  const other = { pid: child.pid ?? 0, identity: 'of an earlier process' };
  assert.equal(isAlive(other), false);
  assert.equal(signalProcess(other, 'SIGKILL'), false);
  await endProcess(other, 0);
  assert.ok(recordOf(other.pid), 'the bystander lives');
  child.kill();
});

test('one that does not heed SIGTERM is killed after its grace, and a frozen one is thawed', async () => {
  const stubborn = spawn('sh', ['-c', 'trap "" TERM; echo ready; while :; do sleep 1; done']);
  await once(stubborn.stdout, 'data');
  const exit = once(stubborn, 'exit');
  const record = recordOf(stubborn.pid ?? 0);
  assert.ok(record);
  signalProcess(record, 'SIGSTOP');
  await endProcess(record, 100);
  assert.deepEqual(await exit, [null, 'SIGKILL']);

  const frozen = spawn('sleep', ['60']);
  const frozenRecord = recordOf(frozen.pid ?? 0);
  assert.ok(frozenRecord);
  frozen.kill('SIGSTOP');
  const frozenExit = once(frozen, 'exit');
  await endProcess(frozenRecord, 5000);
  assert.deepEqual(await frozenExit, [null, 'SIGTERM']);
});
