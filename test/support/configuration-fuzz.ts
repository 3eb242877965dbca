/** Random configuration values of encryption and login, and JAAS texts: always an answer, never a secret in it. */
import assert from 'node:assert/strict';
import { createConfigReader } from '../../src/config/index.ts';
import { readJaas } from '../../src/config/kafka-properties/jaas.ts';
import type { Sealer } from '../../src/config/seal.ts';
import type { JsonObject, JsonValue } from '../../src/model/index.ts';
import { issue, keyEncodings, withoutArmour } from './certificates.ts';
import type { Random } from './random.ts';

/** Stands in every secret; whatever shows it has shown a secret. */
const CANARY = 'cAnArY';
const plainSealer: Sealer = { seal: (text) => text, open: (text) => text };
const reader = createConfigReader({
  references: { variable: (name) => (name === 'SET' ? CANARY : undefined), variableNames: () => ['SET'] },
  sealer: plainSealer,
});

const root = issue({ commonName: 'root', authority: true, keyType: 'ec' });
const client = issue({ commonName: 'client', issuer: root, keyType: 'ec' });
const keys = Object.values(keyEncodings(client.keys, CANARY));

const jaasTexts = [
  `org.apache.kafka.common.security.plain.PlainLoginModule required username="user" password="${CANARY}";`,
  `org.apache.kafka.common.security.scram.ScramLoginModule required username='u,s=r' password='${CANARY}\\"';`,
  `org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required clientId="c" clientSecret="${CANARY}" scope="s" extension_a="b";`,
  'software.amazon.msk.auth.iam.IAMLoginModule required awsRoleArn="arn:aws:iam::123456789012:role/r" awsStsRegion="eu-west-1";',
  `com.sun.security.auth.module.JndiLoginModule required user.provider.url="ldap://${CANARY}/x";`,
  `com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true keyTab="/etc/${CANARY}";`,
];

const bodies: readonly JsonObject[] = [
  { brokers: 'kafka:9092', tls: { ca: root.pem, cert: client.pem, key: client.key, verify: true, server_name: 'a.b' } },
  { brokers: 'kafka', tls: { cert: client.chain, key: keys[2]!, key_password: CANARY }, protocol: 'ssl' },
  {
    brokers: 'kafka',
    tls: { ca: withoutArmour(root.pem), cert: withoutArmour(client.pem), key: withoutArmour(client.key) },
  },
  { brokers: 'kafka', sasl: { mechanism: 'scram-sha-512', username: 'u', password: CANARY }, protocol: 'SASL_SSL' },
  {
    brokers: 'kafka',
    sasl: { mechanism: 'plain', username: '${SET}', password: '${SET}' },
    protocol: 'sasl_plaintext',
  },
  {
    brokers: 'kafka',
    sasl: {
      mechanism: 'OAUTHBEARER',
      oidc: { token_url: 'https://a/t', client_id: 'c', client_secret: CANARY, scope: 's' },
    },
  },
  { brokers: 'kafka', sasl: { mechanism: 'oauthbearer', token: CANARY, extensions: { a: 'b' } } },
  { brokers: 'kafka', sasl: { mechanism: 'aws-msk-iam', access_key_id: 'AKIA', secret_access_key: CANARY } },
  ...jaasTexts.map((text) => ({
    kafka: `bootstrap.servers=SASL_SSL://a:1,b\nsasl.mechanism=PLAIN\nsasl.jaas.config=${text}\nlinger.ms=5\n`,
  })),
  {
    brokers: 'kafka',
    kafka: {
      'security.protocol': 'SSL',
      'ssl.keystore.key': client.key,
      'ssl.keystore.certificate.chain': client.pem,
      'ssl.key.password': CANARY,
      'enable.ssl.certificate.verification': 'false',
      'compression.type': 'lz4',
      acks: 'all',
      retries: 5,
    },
  },
];

/** Whole destinations with one to four changes. */
export function fuzzSecurity(source: Random, rounds: number): { taken: number; refused: number } {
  const counts = { taken: 0, refused: 0 };
  for (let round = 0; round < rounds; round++) {
    let body: JsonValue = source.pick(bodies);
    for (let changes = source.between(1, 4); changes > 0; changes--) body = changed(body, source);
    if (typeof body !== 'object' || body === null || Array.isArray(body)) continue;
    const object = { kind: 'destination', name: 'main', body: body as JsonObject } as const;
    const { configuration, problems, warnings } = reader.check([object]);
    const answered = configuration.destinations.has('main') !== problems.length > 0;
    assert.ok(answered, `no answer, or two: ${JSON.stringify(body)}`);
    for (const { reason, remedy, path } of [...problems, ...warnings]) {
      assert.ok(reason.length > 3 && remedy.length > 3, path);
      if (isShown(reason + remedy, body)) assert.fail(`a secret in ${path}: ${reason} ${remedy}`);
    }
    if (problems.length === 0) counts.taken++;
    else counts.refused++;
  }
  return counts;
}

/** JAAS texts alone, changed by letters. */
export function fuzzJaas(source: Random, rounds: number): { taken: number; refused: number } {
  const counts = { taken: 0, refused: 0 };
  for (let round = 0; round < rounds; round++) {
    let text = source.pick(jaasTexts);
    for (let changes = source.between(0, 6); changes > 0; changes--) text = changedText(text, source);
    const jaas = readJaas(text);
    if ('reason' in jaas) {
      assert.ok(!(jaas.reason + jaas.remedy).includes(CANARY), jaas.reason);
      counts.refused++;
    } else {
      assert.ok(['plain', 'scram', 'oauthbearer', 'iam'].includes(jaas.module));
      counts.taken++;
    }
  }
  return counts;
}

/** A secret that a change moved to a field of no secret may be shown there: its writer put it in the wrong place. */
function isShown(text: string, body: JsonObject): boolean {
  if (text.includes('PRIVATE KEY-----M')) return true;
  // The name of a variable or file is no secret, and must be told.
  if (/environment variable|reads the file|may not read/.test(text)) return false;
  return text.includes(CANARY) && !JSON.stringify(body, withoutSecrets).includes(CANARY);
}

const secretField =
  /^(?:password|key|key_password|token|client_secret|secret_access_key|session_token|kafka|username)$/;

function withoutSecrets(key: string, value: unknown): unknown {
  return secretField.test(key) ? null : value;
}

const odd: readonly JsonValue[] = [
  null,
  true,
  false,
  0,
  -1,
  1e308,
  '',
  ' ',
  '\0',
  '${',
  '${X}',
  '${SET}',
  '$${',
  [],
  {},
  ['a'],
  'é'.repeat(50),
  '-----BEGIN CERTIFICATE-----',
  '__proto__',
  'PLAIN',
];

function changed(value: JsonValue, source: Random): JsonValue {
  if (typeof value === 'string') return source.chance(0.85) ? changedText(value, source) : source.pick(odd);
  if (typeof value !== 'object' || value === null) return source.pick(odd);
  if (Array.isArray(value)) return source.pick(odd);
  const entries = Object.entries(value);
  if (entries.length === 0 || source.chance(0.05)) return { ...value, [source.text(6)]: source.pick(odd) };
  const at = source.below(entries.length);
  const [name, one] = entries[at]!;
  if (source.chance(0.08)) entries.splice(at, 1);
  else if (source.chance(0.04)) entries[at] = [changedText(name, source), one];
  else entries[at] = [name, changed(one, source)];
  return Object.fromEntries(entries);
}

const pieces = [
  '"',
  "'",
  '\\',
  ';',
  '=',
  '\n',
  ' ',
  '\r\n',
  '\0',
  '=3D',
  '\\u00',
  '${',
  '}',
  '-----',
  '-----END CERTIFICATE-----',
  'required',
  '\\n',
  '://',
  ',',
  '\uFFFD',
  'ü',
];

function changedText(text: string, source: Random): string {
  const at = source.below(text.length + 1);
  const end = Math.min(text.length, at + source.below(8));
  switch (source.below(6)) {
    case 0:
      return text.slice(0, at) + text.slice(end);
    case 1:
      return text.slice(0, at) + source.pick(pieces) + text.slice(at);
    case 2:
      return text.slice(0, at) + source.pick(pieces) + text.slice(end);
    case 3:
      return text.slice(0, end) + text.slice(at, end) + text.slice(end);
    case 4:
      return text.slice(0, at) + source.text(1) + text.slice(at + 1);
    default:
      return source.chance(0.2) ? text.slice(0, at) : text.toUpperCase().slice(0, at) + text.slice(at);
  }
}
