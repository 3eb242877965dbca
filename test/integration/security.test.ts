/** Every way to connect, against a real broker with a listener for each; what is sent is read back by the Java client. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { JsonObject } from '../../src/model/index.ts';
import { keyEncodings, withoutArmour } from '../support/certificates.ts';
import { newTopic } from '../support/kafka.ts';
import { oracle } from '../support/oracle.ts';
import { secureKafka, users, type SecureKafka, type SecureListener, type User } from '../support/secure-kafka.ts';
import { sendOne } from '../support/written-destination.ts';

let secure: SecureKafka;
let topic: string;
before(async () => {
  secure = await secureKafka();
  topic = await newTopic(secure.kafka.bootstrap, 'security');
});

/** A way that works: its name, its listener, and the fields beside `brokers`. */
type Way = readonly [name: string, listener: SecureListener, fields: () => JsonObject];

const authority = (): string => secure.certificates.authority.pem;
const login = (mechanism: string, { username, password }: User): JsonObject => ({ mechanism, username, password });
const mechanisms = ['plain', 'scram-sha-256', 'scram-sha-512'];

const ways: readonly Way[] = [
  ['plaintext', 'SSL', () => ({ brokers: secure.kafka.bootstrap })],
  ['TLS', 'SSL', () => ({ tls: { ca: authority() } })],
  ['TLS, authority without armour lines', 'SSL', () => ({ tls: { ca: withoutArmour(authority()) } })],
  ['TLS, authority among others', 'SSL', () => ({ tls: { ca: secure.certificates.stranger.pem + authority() } })],
  ['TLS by host name', 'SSL', () => ({ brokers: byName('SSL'), tls: { ca: authority() } })],
  ['TLS with an EC chain', 'CHAIN', () => ({ tls: { ca: authority() } })],
  ['an expired certificate, not verified', 'EXPIRED', () => ({ tls: { verify: false } })],
  ['an unknown authority, not verified', 'SSL', () => ({ tls: { verify: false } })],
  ['another name, chain alone verified', 'OTHERNAME', () => ({ tls: { ca: authority(), verify: 'chain' } })],
  [
    'another name, that name given',
    'OTHERNAME',
    () => ({ tls: { ca: authority(), server_name: 'kafka.example.com' } }),
  ],
  ['a client certificate', 'MUTUAL', () => ({ tls: { ca: authority(), ...pairOf('clientRsa') } })],
  ['an EC client certificate', 'MUTUAL', () => ({ tls: { ca: authority(), ...pairOf('clientEc') } })],
  ['a client certificate with its chain', 'MUTUAL', () => ({ tls: { ca: authority(), ...pairOf('clientChained') } })],
  ['a client certificate without an authority', 'MUTUAL', () => ({ tls: { verify: false, ...pairOf('clientRsa') } })],
  ...mechanisms.flatMap((mechanism): Way[] => [
    [
      `${mechanism} over SASL_PLAINTEXT`,
      'SASL',
      () => ({ protocol: 'sasl_plaintext', sasl: login(mechanism, users.app) }),
    ],
    [`${mechanism} over SASL_SSL`, 'SASLSSL', () => ({ tls: { ca: authority() }, sasl: login(mechanism, users.app) })],
    [
      `${mechanism} with commas, equal signs and other letters`,
      'SASL',
      () => ({ protocol: 'sasl_plaintext', sasl: login(mechanism, users.odd) }),
    ],
  ]),
  [
    'plain with a name of other letters',
    'SASL',
    () => ({ protocol: 'sasl_plaintext', sasl: login('plain', users.foreign) }),
  ],
];

for (const [index, [name, listener, fields]] of ways.entries()) {
  test(`sends by ${name}`, async () => {
    const held = await sendOne({ brokers: secure.bootstrapOf(listener), ...fields() }, topic, `way ${index}`);
    assert.equal(held, null);
  });
}

for (const kind of ['clientRsa', 'clientEc'] as const) {
  test(`sends by every encoding of the key of ${kind}`, async () => {
    const { pem, keys } = secure.certificates[kind];
    for (const [encoding, key] of Object.entries(keyEncodings(keys, 'pass ü word'))) {
      const password: JsonObject = encoding.includes('encrypted') ? { key_password: 'pass ü word' } : {};
      const tls = { ca: authority(), cert: pem, key, ...password };
      const held = await sendOne({ brokers: secure.bootstrapOf('MUTUAL'), tls }, topic, `${kind} ${encoding}`);
      assert.equal(held, null, encoding);
    }
  });
}

test('the Java client reads what every way has sent', async () => {
  const read = (await oracle(secure.kafka.bootstrap).readAll(topic)).map(({ value }) => String(value));
  const sent = ways.map((_, index) => `way ${index}`);
  assert.deepEqual(
    sent.filter((text) => read.filter((one) => one === text).length !== 1),
    [],
  );
});

/** A way that fails: the code, and what the reason and the remedy say. */
type Failure = readonly [...Way, code: string, reason: RegExp, remedy: RegExp];

const failures: readonly Failure[] = [
  ['an authority that is not known here', 'SSL', () => ({ tls: {} }), 'tls_failed', /trusted/, /tls: \{ca/],
  [
    'another authority',
    'SSL',
    () => ({ tls: { ca: secure.certificates.stranger.pem } }),
    'tls_failed',
    /trusted/,
    /ca/,
  ],
  ['an expired certificate', 'EXPIRED', () => ({ tls: { ca: authority() } }), 'tls_failed', /expired/, /Renew/],
  ['another name', 'OTHERNAME', () => ({ tls: { ca: authority() } }), 'tls_failed', /name/, /subjectAltName/],
  [
    'another name given',
    'SSL',
    () => ({ tls: { ca: authority(), server_name: 'kafka.example.com' } }),
    'tls_failed',
    /name/,
    /subjectAltName/,
  ],
  [
    'no client certificate',
    'MUTUAL',
    () => ({ tls: { ca: authority() } }),
    'tls_failed',
    /certificate/,
    /cert: …, key/,
  ],
  [
    'a client certificate of a stranger',
    'MUTUAL',
    () => ({ tls: { ca: authority(), ...pairOf('clientOfStranger') } }),
    'tls_failed',
    /certificate/,
    /cert: …, key/,
  ],
  ['plain text to a listener of TLS', 'SSL', () => ({}), 'tls_failed', /encrypted/, /protocol: ssl/],
  ['TLS to a plain listener', 'SASL', () => ({ tls: { ca: authority() } }), 'kafka_unreachable', /TLS/, /./],
  ...mechanisms.map((mechanism): Failure => [
    `another password by ${mechanism}`,
    'SASLSSL',
    () => ({ tls: { ca: authority() }, sasl: login(mechanism, { ...users.app, password: 'canary-4711' }) }),
    'authentication_failed',
    /refused the credentials/,
    /password/,
  ]),
  [
    'a user that is not known',
    'SASL',
    () => ({
      protocol: 'sasl_plaintext',
      sasl: login('scram-sha-512', { username: 'nobody', password: 'canary-4711' }),
    }),
    'authentication_failed',
    /refused the credentials/,
    /user name/,
  ],
];

for (const [name, listener, fields, code, reason, remedy] of failures) {
  test(`says what is wrong with ${name}`, async () => {
    const held = await sendOne({ brokers: secure.bootstrapOf(listener), ...fields() }, topic, 'never');
    assert.ok(held !== null, 'it was sent');
    assert.equal(held.code, code, held.reason);
    assert.match(held.reason, reason);
    assert.match(held.remedy, remedy);
    assert.doesNotMatch(JSON.stringify(held), /canary-4711|PRIVATE KEY/);
  });
}

function byName(listener: SecureListener): string {
  return secure.bootstrapOf(listener).replace('127.0.0.1', 'localhost');
}

function pairOf(name: 'clientRsa' | 'clientEc' | 'clientChained' | 'clientOfStranger'): JsonObject {
  const { chain, key } = secure.certificates[name];
  return { cert: chain, key };
}
