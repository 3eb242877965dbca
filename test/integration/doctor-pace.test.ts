/** Whoever may use the API cannot make this machine test connections without end: one a second, a few wait (S20). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freePorts } from '../../src/local/ports.ts';
import { startHeadrace } from '../support/headrace.ts';
import { setUp } from '../support/setup.ts';

test('tests of connections begin at most once a second; who comes when five wait is told to come again', async (t) => {
  const [port] = await freePorts(1);
  const setup = setUp(t, { destinations: { main: { brokers: `127.0.0.1:${port}` } } });
  const server = await startHeadrace({ data: setup.data, config: setup.config });
  const startedMs = performance.now();
  const answers = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const answer = await fetch(`${server.address}/api/destinations/main/check`, {
        method: 'POST',
        headers: { authorization: `Bearer ${server.token}` },
      });
      const body = (await answer.json()) as { ok?: boolean; code?: string; remedy?: string };
      return { status: answer.status, body };
    }),
  );
  const tookMs = performance.now() - startedMs;
  const done = answers.filter(({ status }) => status === 200);
  const refused = answers.filter(({ status }) => status === 429);
  assert.equal(done.length + refused.length, 20, JSON.stringify(answers));
  assert.ok(done.length >= 6 && refused.length > 0, `${done.length} done, ${refused.length} refused`);
  for (const { body } of done) assert.equal(body.ok, false);
  for (const { body } of refused) {
    assert.equal(body.code, 'overloaded');
    assert.match(body.remedy ?? '', /few seconds/);
  }
  assert.ok(tookMs > (done.length - 1) * 1_000 - 50, `${done.length} of them took ${tookMs} ms`);
  await server.stop();
});
