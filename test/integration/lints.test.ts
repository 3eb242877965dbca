/** What a configuration says and surely does not mean is told where it is applied, and applied all the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workplace } from '../support/workplace.ts';

const yaml = `
destinations: {main: {brokers: 'localhost:1'}}
sources:
  website: {type: events, write_key: k}
  lake: {type: files, path: .}
syncs:
  bare:
    source: website
    destination: main
    trigger: type = track
    message: {topic: t, key: $id, default_partition: 0, headers: {tenant: '{tenant}', secret: '\${HIDDEN}'}}
  moved:
    source: website
    destination: main
    trigger: type = "identify" or type = "track" and event = 'Order Completed'
    message: {topic: t, key: ''}
  rows:
    source: lake
    destination: main
    read: {file: rows.jsonl}
    trigger: length(name) = "3" or status = 'new'
    message: {topic: t, key: id}
  sound:
    source: website
    destination: main
    preset: segment
    message: {topic: t, key: $.userId}
`;

test('apply warns of what is probably not meant, each with its path, and applies it', async (t) => {
  const place = workplace(t);
  place.configure(yaml);
  const env = { ...process.env, HIDDEN: '$hidden' };
  const planned = await place.run(['apply', '-f', place.config, '--dry-run', '--json'], { env });
  const { warnings } = JSON.parse(planned.stdout) as { warnings: string[] };
  assert.deepEqual(
    warnings.map((warning) => warning.slice(0, warning.indexOf(': '))),
    [
      'syncs.bare.trigger',
      'syncs.bare.message.default_partition',
      'syncs.bare.message.key',
      'syncs.bare.message.headers.tenant',
      'syncs.moved.trigger',
      'syncs.moved.message.key',
      'syncs.rows.trigger',
      'syncs.rows.message.key',
    ],
  );
  const text = warnings.join('\n');
  assert.match(text, /compares with the field track \(line 1, column 8\)\. Write "track" in quotes/);
  assert.match(text, /key: is the plain text "\$id"\. A path begins with "\$\."\./);
  assert.match(text, /moved\.trigger: would do otherwise in Segment, line 1, column 37: .*and in 1 more place/);
  assert.match(text, /rows\.trigger: has a part that never passes \(line 1, column 1\)/);
  assert.match(text, /Write \$\.id for the field of that name/);
  // Promise 8: what a reference stands for is not quoted.
  assert.ok(!text.includes('hidden') && !planned.stderr.includes('hidden'));

  const applied = await place.run(['apply', '-f', place.config], { env });
  assert.equal(applied.code, 0);
  for (const warning of warnings) assert.ok(applied.stderr.includes(warning), warning);
  assert.match(applied.stdout, /\+ sync bare \(create\)/);
});
