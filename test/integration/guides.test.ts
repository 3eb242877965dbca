/** The guides that are scripts, run from nothing, and Headrace with what they leave. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readProperties } from '../../src/config/kafka-properties/text.ts';
import { checkout, headrace, type Exit } from '../support/headrace.ts';
import { createTopic, ownKafka } from '../support/kafka.ts';
import { oracle } from '../support/oracle.ts';
import { until } from '../support/until.ts';

const folder = mkdtempSync(join(tmpdir(), 'headrace-guides-'));
after(() => rmSync(folder, { recursive: true }));

/** Runs the script; answers its broker.properties. */
function follow(guide: string, env: Record<string, string>): Map<string, string> {
  const target = join(folder, guide);
  const script = join(checkout, 'docs', 'guides', `${guide}.sh`);
  execFileSync(script, [target], { env: { ...process.env, ...env }, stdio: 'pipe' });
  return new Map(readProperties(readFileSync(join(target, 'broker.properties'), 'utf8')));
}

/** The check has ten seconds in all, which a busy machine may not have: it is asked again where time alone was short. */
function check(config: string, env: Record<string, string> = {}): Promise<Exit> {
  const args = ['check', 'main', '--config', join(folder, config), '--data', join(folder, 'data'), '--json'];
  return until(
    'the check has its time',
    async () => {
      const exit = await headrace(args, { env });
      return /did not come to an end in its time|no answer within/.test(exit.stdout) ? null : exit;
    },
    { deadlineMs: 240_000 },
  );
}

test('docs/guides/two-way-tls.sh: broker and Headrace know each other', async () => {
  const properties = follow('two-way-tls', { STORE_PASSWORD: 'store-word' });
  const kafka = await ownKafka({
    listeners: [{ name: 'SECURE', protocol: 'SSL', properties: Object.fromEntries(properties) }],
  });
  await createTopic(kafka.bootstrap, 'headrace-test');
  const { code, stdout, stderr } = await check('two-way-tls/headrace.yaml', { BROKERS: kafka.bootstrapOf('SECURE') });
  assert.equal(code, 0, stdout + stderr);
  assert.ok((await oracle(kafka.bootstrap).readAll('headrace-test')).length >= 1);
  assert.doesNotMatch(stdout + stderr, /store-word|PRIVATE KEY/);
});

test('docs/guides/inner-and-outer-listeners.sh: the outer listener is reached, the inner one is explained', async () => {
  const advertised = follow('inner-and-outer-listeners', { OUTER_HOST: '127.0.0.1' }).get('advertised.listeners')!;
  const hostOf = (name: string): string => new RegExp(`${name}://([^:,]+):`).exec(advertised)![1]!;
  const kafka = await ownKafka({
    listeners: (['INNER', 'OUTER'] as const).map((name) => ({
      name,
      protocol: 'PLAINTEXT',
      advertisedHost: hostOf(name),
    })),
  });
  await createTopic(kafka.bootstrap, 'headrace-test');
  const portOf = (name: string): string => kafka.bootstrapOf(name).split(':')[1]!;
  follow('inner-and-outer-listeners', { OUTER_HOST: '127.0.0.1', OUTER_PORT: portOf('OUTER') });
  const outer = await check('inner-and-outer-listeners/outside.yaml');
  assert.equal(outer.code, 0, outer.stdout + outer.stderr);
  assert.ok((await oracle(kafka.bootstrap).readAll('headrace-test')).length >= 1);

  follow('inner-and-outer-listeners', { OUTER_HOST: '127.0.0.1', OUTER_PORT: portOf('INNER') });
  const inner = await check('inner-and-outer-listeners/outside.yaml');
  assert.equal(inner.code, 1, inner.stdout + inner.stderr);
  assert.match(inner.stdout, /kafka-0\.kafka\.default\.svc\.cluster\.local/);
  assert.match(inner.stdout, /advertised\.listeners/);
});
