/** What is exported comes back as it was, without the values of secrets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { rawNumber } from '../base/json.ts';
import { Secret } from '../base/secret.ts';
import type { JsonValue, WrittenObject } from '../model/index.ts';
import { exportYaml } from './export.ts';
import { createSealer } from './seal.ts';
import { hideSecrets, keepSecrets, openSecrets, PLACEHOLDER, sealSecrets } from './secrets.ts';
import { Report } from './report.ts';
import { readText } from './written.ts';

const sealer = createSealer({ dataFolder: '/nowhere', secretKey: new Secret('x'.repeat(32)) });

function events(writeKey: JsonValue, name = 'website'): WrittenObject {
  return { kind: 'source', name, body: { type: 'events', write_key: writeKey } };
}

test('what is exported is read back as it was, whatever stands in it', () => {
  const digits = fc.constantFrom('1.10', '12345678901234567890', '-0', '1e3', '0.30000000000000000001').map(rawNumber);
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom(
      '$.a',
      '{{b}}',
      'yes',
      'null',
      '1',
      '1.0',
      '@x',
      '#',
      ' a ',
      'a: b',
      '<<',
      '~',
      '2026-01-01',
      'a\nb\n',
      '\t',
      '- x',
      '---',
      '*a',
      '&a',
      '!t',
      '%',
      '0x1F',
      '\u0000',
      '\u2028',
      '$${X}',
    ),
  );
  const leaf = fc.oneof(
    text,
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    digits,
  );
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(text, tie('value'), { maxKeys: 3 }),
    ),
  }));
  fc.assert(
    fc.property(value, (payload) => {
      const written = { kind: 'sync', name: 'a', body: { message: { payload: payload as JsonValue } } } as const;
      const { objects, problems } = readText({ text: exportYaml([written]), name: 'export', folder: null });
      assert.deepEqual(problems, []);
      // Through JSON: -0 and 0 print alike.
      assert.equal(JSON.stringify(objects), JSON.stringify([written]));
    }),
    { numRuns: 300 },
  );
});

test('a minus zero that was written comes back, and one that was calculated is a zero as in JSON', () => {
  const payloads: [unknown, string][] = [
    [-0, '0'],
    [[-0], '[0]'],
    [{ a: -0 }, '{"a":0}'],
    [rawNumber('-0'), '-0'],
    [[rawNumber('-0.0')], '[-0.0]'],
  ];
  for (const [payload, printed] of payloads) {
    const written = { kind: 'sync', name: 'a', body: { message: { payload: payload as JsonValue } } } as const;
    const [object] = readText({ text: exportYaml([written]), name: 'export', folder: null }).objects;
    assert.equal(JSON.stringify((object!.body['message'] as { payload: unknown }).payload), printed);
  }
});

test('sections come in order, and none for nothing', () => {
  assert.equal(exportYaml([]), '');
  const yaml = exportYaml([
    { kind: 'sync', name: 's', body: { source: 'website' } },
    { kind: 'destination', name: 'd', body: { brokers: '${KAFKA_BROKERS:-localhost}' } },
  ]);
  assert.equal(
    yaml,
    'destinations:\n  d:\n    brokers: ${KAFKA_BROKERS:-localhost}\nsyncs:\n  s:\n    source: website\n',
  );
});

test('Promise 8: a secret in plain is sealed at rest and never exported; a reference is exported as written', () => {
  const cases: [string, string][] = [
    ['canary', PLACEHOLDER],
    ['${KEY}', '${KEY}'],
    ['${KEY:-canary}', `\${KEY:-${PLACEHOLDER}}`],
    ['${KEY:-}', '${KEY:-}'],
    ['${file:/run/secret}', '${file:/run/secret}'],
    ['canary-${KEY}', `${PLACEHOLDER}\${KEY}`],
    ['$${canary}', PLACEHOLDER],
  ];
  for (const [writeKey, shown] of cases) {
    const object = events(writeKey);
    const stored = sealSecrets(object, sealer);
    assert.doesNotMatch(JSON.stringify(stored), /canary/);
    for (const one of [object, stored, hideSecrets(stored)]) {
      assert.doesNotMatch(exportYaml([one]), /canary/);
      assert.equal(hideSecrets(one).body['write_key'], shown);
    }
    assert.deepEqual(openSecrets(stored, sealer, new Report()), object);
  }
});

test('S1: a sealed secret that is moved to another object does not open', () => {
  const stored = sealSecrets(events('canary'), sealer);
  const report = new Report();
  openSecrets({ ...stored, name: 'other' }, sealer, report);
  assert.deepEqual(
    report.problems.map(({ path, code }) => `${path} ${code}`),
    ['sources.other.write_key config_unresolved'],
  );
});

test('an exported placeholder keeps the secret that it stands for, and no other', () => {
  const kept = (written: string, stored: string | null): { key: unknown; problems: number } => {
    const report = new Report();
    const { body } = keepSecrets(events(written), stored === null ? undefined : events(stored), report);
    return { key: body['write_key'], problems: report.problems.length };
  };
  assert.deepEqual(kept(PLACEHOLDER, 'canary'), { key: 'canary', problems: 0 });
  assert.deepEqual(kept(`${PLACEHOLDER}\${KEY}`, 'canary-${KEY}'), { key: 'canary-${KEY}', problems: 0 });
  assert.deepEqual(kept('new', 'canary'), { key: 'new', problems: 0 });
  assert.equal(kept(PLACEHOLDER, '${KEY}').problems, 1);
  assert.equal(kept(PLACEHOLDER, null).problems, 1);
  assert.equal(kept(`${PLACEHOLDER}\${OTHER}`, 'canary-${KEY}').problems, 1);
});
