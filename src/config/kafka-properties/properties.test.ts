/** Files of Kafka's own clients, pasted: every name goes where it belongs, none passes in silence. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { issue } from '../../../test/support/certificates.ts';
import type { DestinationConfig, JsonObject, JsonValue, Problem, WrittenObject } from '../../model/index.ts';
import { exportObjects } from '../export.ts';
import { createConfigReader, type Checked } from '../reader.ts';
import { createSealer } from '../seal.ts';

const folder = mkdtempSync(join(tmpdir(), 'headrace-properties-'));
after(() => rmSync(folder, { recursive: true }));
const variables: Record<string, string> = {};
const reader = createConfigReader({
  references: { variable: (name) => variables[name], variableNames: () => Object.keys(variables) },
  sealer: createSealer({ dataFolder: folder, secretKey: null }),
});

function object(body: JsonObject): WrittenObject {
  return { kind: 'destination', name: 'main', body };
}

function check(kafka: JsonValue, body: JsonObject = {}): Checked {
  return reader.check([object({ ...body, kafka })]);
}

function destination(kafka: JsonValue, body: JsonObject = { brokers: 'kafka' }): DestinationConfig {
  const { configuration, problems } = check(kafka, body);
  assert.deepEqual(problems, []);
  return configuration.destinations.get('main')!;
}

function problem(kafka: JsonValue, body: JsonObject = { brokers: 'kafka' }): Problem {
  const { problems } = check(kafka, body);
  assert.equal(problems.length, 1, JSON.stringify(problems));
  return problems[0]!;
}

const root = issue({ commonName: 'root', authority: true });
const client = issue({ commonName: 'client', issuer: root });
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const ca = file('ca.pem', root.pem);
const cert = file('client.pem', client.pem);
const key = file('client.key', client.key);
const store = file('store.pem', client.key + client.pem);
execFileSync(
  'openssl',
  ['pkcs12', '-export', '-in', cert, '-inkey', key, '-out', join(folder, 'store.p12'), '-passout', 'pass:word'],
  { stdio: 'pipe' },
);

test("Java's file is a destination", () => {
  const main = destination(
    `
# Kafka
bootstrap.servers=SASL_SSL://pkc-1.example.com:9092, \\
    SASL_SSL://[::1]:9093
security.protocol=SASL_SSL
sasl.mechanism=PLAIN
sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username='KEY' password='SE"C;=RET';
ssl.endpoint.identification.algorithm=https
client.dns.lookup=use_all_dns_ips
acks=all
linger.ms : 5
compression.type zstd
`,
    {},
  );
  assert.deepEqual(main.brokers, [
    { host: 'pkc-1.example.com', port: 9092 },
    { host: '::1', port: 9093 },
  ]);
  assert.equal(main.protocol, 'sasl_ssl');
  assert.ok(main.sasl?.mechanism === 'plain');
  assert.deepEqual([main.sasl.username.reveal(), main.sasl.password.reveal()], ['KEY', 'SE"C;=RET']);
  assert.deepEqual([main.producer.lingerMs, main.producer.compression, main.tls?.verify], [5, 'zstd', true]);
});

test("librdkafka's names are a destination, numbers as text or not", () => {
  const main = destination(
    {
      'metadata.broker.list': 'a:1,b',
      'security.protocol': 'sasl_ssl',
      'sasl.mechanisms': 'SCRAM-SHA-512',
      'sasl.username': 'u',
      'sasl.password': 12345,
      'ssl.ca.location': ca,
      'ssl.certificate.location': cert,
      'ssl.key.location': key,
      'queue.buffering.max.ms': '7',
      'queue.buffering.max.kbytes': 2048,
      'enable.idempotence': 'true',
      'enable.ssl.certificate.verification': 'false',
      'request.required.acks': -1,
    },
    {},
  );
  assert.ok(main.sasl?.mechanism === 'scram-sha-512');
  assert.equal(main.sasl.password.reveal(), '12345');
  assert.deepEqual([main.producer.lingerMs, main.producer.bufferMemoryBytes, main.producer.acks], [7, 2_097_152, -1]);
  assert.deepEqual([main.tls?.verify, main.tls?.key?.reveal()], [false, client.key]);
});

test('OAUTHBEARER and AWS by their login modules', () => {
  const oauth = destination({
    'security.protocol': 'SASL_SSL',
    'sasl.mechanism': 'OAUTHBEARER',
    'sasl.oauthbearer.token.endpoint.url': 'https://id.example.com/token',
    'sasl.login.callback.handler.class': 'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler',
    'sasl.jaas.config':
      'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required clientId="c" clientSecret="s" scope="k" extension_logicalCluster="lkc-1";',
  });
  assert.ok(oauth.sasl?.mechanism === 'oauthbearer' && oauth.sasl.from.kind === 'oidc');
  const { clientId, clientSecret, scope, extensions } = oauth.sasl.from;
  assert.deepEqual([clientId, clientSecret.reveal(), scope, extensions], ['c', 's', 'k', { logicalCluster: 'lkc-1' }]);

  const iam = destination({
    'security.protocol': 'SASL_SSL',
    'sasl.mechanism': 'AWS_MSK_IAM',
    'sasl.client.callback.handler.class': 'software.amazon.msk.auth.iam.IAMClientCallbackHandler',
    'sasl.jaas.config':
      'software.amazon.msk.auth.iam.IAMLoginModule required awsRoleArn="arn:aws:iam::123456789012:role/kafka" awsStsRegion="eu-west-1";',
  });
  assert.deepEqual(iam.sasl, {
    mechanism: 'aws-msk-iam',
    keys: null,
    roleArn: 'arn:aws:iam::123456789012:role/kafka',
    region: 'eu-west-1',
  });

  const unsecured = destination({
    'sasl.mechanism': 'OAUTHBEARER',
    'sasl.oauthbearer.config': 'principal=app scope=a lifeSeconds=60 extension_x=y',
  });
  assert.deepEqual(unsecured.sasl?.mechanism === 'oauthbearer' ? unsecured.sasl.from : null, {
    kind: 'unsecured',
    principal: 'app',
    scope: ['a'],
    lifeSeconds: 60,
    extensions: { x: 'y' },
  });
});

test('key stores as PEM and as PKCS#12, inline and by file', () => {
  const pem = destination({
    'security.protocol': 'SSL',
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': store,
    'ssl.truststore.location': ca,
  });
  assert.equal(pem.tls?.cert?.reveal().trim(), client.pem.trim());
  const inline = destination({
    'security.protocol': 'SSL',
    'ssl.keystore.key': client.key.replaceAll('\n', ' '),
    'ssl.keystore.certificate.chain': client.pem,
    'ssl.truststore.certificates': root.pem,
  });
  assert.equal(inline.tls?.ca?.reveal(), root.pem);
  const pkcs12 = destination({
    'security.protocol': 'SSL',
    'ssl.keystore.location': join(folder, 'store.p12'),
    'ssl.keystore.password': 'word',
    'ssl.key.password': 'word',
  });
  assert.equal(pkcs12.tls?.keyStore?.password?.reveal(), 'word');
});

test('an empty identification algorithm verifies the chain alone', () => {
  assert.equal(
    destination({ 'security.protocol': 'SSL', 'ssl.endpoint.identification.algorithm': '' }).tls?.verify,
    'chain',
  );
});

const plainJaas = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="p";';
const wrong: Readonly<
  Record<string, [kafka: JsonValue, body: JsonObject, path: string, reason: RegExp, remedy: RegExp]>
> = {
  'a field beside it that says something else': [
    { 'linger.ms': 5 },
    { producer: { linger_ms: 6 } },
    '["linger.ms"]',
    /contradicts `producer.linger_ms`/,
    /Keep one/,
  ],
  'two names that say different things': [
    { 'compression.type': 'lz4', 'compression.codec': 'gzip' },
    {},
    '["compression.codec"]',
    /contradicts `compression.type`/,
    /Keep one/,
  ],
  'other brokers beside it': [
    { 'bootstrap.servers': 'a:1' },
    { brokers: 'b:1' },
    '["bootstrap.servers"]',
    /contradicts `brokers`/,
    /Keep one/,
  ],
  'a scheme that is not the protocol': [
    {
      'bootstrap.servers': 'SSL://a',
      'security.protocol': 'SASL_SSL',
      'sasl.mechanism': 'PLAIN',
      'sasl.jaas.config': plainJaas,
    },
    { brokers: 'a' },
    '["bootstrap.servers"]',
    /contradicts `security.protocol`/,
    /Keep one/,
  ],
  'a login module of another mechanism': [
    { 'sasl.mechanism': 'SCRAM-SHA-512', 'sasl.jaas.config': plainJaas },
    {},
    '["sasl.jaas.config"]',
    /contradicts `sasl.mechanism`/,
    /Change one/,
  ],
  'a line that stands twice': ['linger.ms=1\nlinger.ms=2', {}, '["linger.ms"]', /more than once/, /Keep one/],
  'a number that is none': [{ 'linger.ms': 'soon' }, {}, '["linger.ms"]', /whole number/, /./],
  'a login module that loads classes': [
    { 'sasl.jaas.config': 'com.sun.security.auth.module.JndiLoginModule required user.provider.url="ldap://evil";' },
    {},
    '["sasl.jaas.config"]',
    /not taken/,
    /PlainLoginModule/,
  ],
  Kerberos: [
    { 'sasl.jaas.config': 'com.sun.security.auth.module.Krb5LoginModule required;' },
    {},
    '["sasl.jaas.config"]',
    /Kerberos/,
    /SCRAM/,
  ],
  'two login modules': [
    { 'sasl.jaas.config': plainJaas + plainJaas },
    {},
    '["sasl.jaas.config"]',
    /more than one/,
    /The form is/,
  ],
  'an open quote': [
    { 'sasl.jaas.config': plainJaas.replace('"u"', '"u') },
    {},
    '["sasl.jaas.config"]',
    /./,
    /The form is/,
  ],
  'SCRAM without its mechanism': [
    {
      'sasl.jaas.config': 'org.apache.kafka.common.security.scram.ScramLoginModule required username="u" password="p";',
    },
    {},
    '["sasl.jaas.config"]',
    /needs `sasl.mechanism`/,
    /SHA-512/,
  ],
  'a profile of AWS': [
    { 'sasl.jaas.config': 'software.amazon.msk.auth.iam.IAMLoginModule required awsProfileName="x";' },
    {},
    '["sasl.jaas.config"]',
    /profile/,
    /AWS_PROFILE/,
  ],
  'a trust store of Java': [
    { 'security.protocol': 'SSL', 'ssl.truststore.location': file('trust.jks', '\uFFFD\uFFFD\uFFFD\uFFFD\0\0') },
    {},
    '["ssl.truststore.location"]',
    /Java key store/,
    /keytool -importkeystore/,
  ],
  'a file that is not there': [
    { 'security.protocol': 'SSL', 'ssl.ca.location': join(folder, 'none') },
    {},
    '["ssl.ca.location"]',
    /ENOENT/,
    /exists/,
  ],
  'a relative path': [{ 'ssl.ca.location': 'ca.pem' }, {}, '["ssl.ca.location"]', /absolute/, /root/],
  'an object': [{ sasl: { mechanism: 'PLAIN' } }, {}, '.sasl', /must be text/, /properties file/],
  'a list': [['linger.ms=5'], {}, '', /names and values/, /kafka: \|/],
};

for (const [name, [kafka, body, path, reason, remedy]] of Object.entries(wrong)) {
  test(`refuses ${name}`, () => {
    const found = problem(kafka, { brokers: 'kafka', ...body });
    assert.equal(found.path, `destinations.main.kafka${path}`);
    assert.match(found.reason, reason);
    assert.match(found.remedy, remedy);
  });
}

test('what is said in the same words beside it is no contradiction', () => {
  destination(
    {
      'linger.ms': '5',
      'bootstrap.servers': 'SASL_SSL://kafka',
      'sasl.mechanism': 'PLAIN',
      'sasl.jaas.config': plainJaas,
    },
    { brokers: ['kafka:9092'], protocol: 'sasl_ssl', producer: { linger_ms: 5 }, sasl: { mechanism: 'plain' } },
  );
});

test('names that change nothing are told, each, and a near miss with the name that was meant', () => {
  const { warnings, problems } = check(
    'linger.mss=5\nkey.serializer=x\nno.such.name=1\npartitioner=consistent_random\nsend.buffer.bytes=1024',
    { brokers: 'kafka' },
  );
  assert.deepEqual(problems, []);
  const told = Object.fromEntries(
    warnings.map(({ path, reason, remedy }) => [path.replace('destinations.main.', ''), `${reason} ${remedy}`]),
  );
  assert.match(told['kafka["linger.mss"]']!, /Did you mean `linger.ms`/);
  assert.match(told['kafka["key.serializer"]']!, /no effect/);
  assert.match(told['kafka["no.such.name"]']!, /not? .*known|is no name/);
  assert.match(told['kafka.partitioner']!, /partitioner: crc32/);
  assert.match(told['kafka["send.buffer.bytes"]']!, /no effect/);
});

const secretFile = `bootstrap.servers=a
sasl.mechanism=PLAIN
sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="canary-1";
ssl.key.password=canary-2
my.private.token=canary-3
linger.ms=5
`;

test('secrets in it are sealed and never exported, and a new file with stars in it keeps them', () => {
  const sealed = reader.seal(object({ kafka: secretFile }));
  assert.doesNotMatch(JSON.stringify(sealed), /canary/);
  const shown = exportObjects([sealed]);
  assert.doesNotMatch(JSON.stringify(shown), /canary/);
  const body = (shown['destinations'] as { main: { kafka: JsonObject } }).main;
  assert.equal(body.kafka['linger.ms'], '5');
  const { plan } = reader.plan([object(body)], [sealed], { prune: false });
  assert.deepEqual(
    plan.changes.map(({ action }) => action),
    ['unchanged'],
  );
  const again = reader.plan([object({ kafka: secretFile })], [sealed], { prune: false });
  assert.deepEqual(
    again.plan.changes.map(({ action }) => action),
    ['unchanged'],
  );
});

test('Promise 8: what is no property is never shown, stored in plain or exported, however it came in', () => {
  const lines = key.trim().split('\n').slice(1, -1);
  variables['WHOLE'] = 'hunter2Canary';
  const cases: [string, JsonValue, string[]][] = [
    ['a key', `linger.ms=5\nbootstrap.servers=a\n${key}`, lines],
    ['a password alone', 'canary-alone', ['canary-alone']],
    ['a name', { 'Canary+name=': 'x', 'linger.ms': 5 }, ['Canary+name=']],
    ['a name before a list', { 'canary!': [1] }, ['canary!']],
    ['a reference in vain', { 'canary!': '${NOT_THERE:-}' }, ['canary!']],
    ['a reference', '${WHOLE}', ['hunter2Canary']],
  ];
  for (const [what, kafka, secrets] of cases) {
    const written = object({ brokers: 'kafka', kafka });
    const sealed = reader.seal(written);
    const planned = reader.plan([written], [], { prune: false });
    const shown = exportObjects([sealed]);
    const told = [planned.problems, planned.warnings, reader.check([sealed]).warnings];
    for (const secret of secrets)
      for (const one of [sealed, shown, told, exportObjects([written])])
        assert.ok(!JSON.stringify(one).includes(secret), `${what}: ${JSON.stringify(one)}`);
    assert.match(planned.warnings.map(({ path, reason }) => `${path} ${reason}`).join(), /main\.kafka has .*not shown/);
    const { main } = shown['destinations'] as { main: JsonObject };
    const stored = planned.plan.result.map((one) => reader.seal(one));
    for (const again of [object(main), written]) {
      const { plan } = reader.plan([again], stored, { prune: false });
      assert.deepEqual(
        plan.changes.map(({ action }) => action),
        ['unchanged'],
        what,
      );
    }
  }
  const { warnings } = reader.plan([object({ brokers: 'a', kafka: 'Linger.MS=5' })], [], { prune: false });
  assert.match(warnings[0]!.remedy, /Did you mean `linger\.ms`/);
});

test('a file may be named, and what changes in it counts at the next connection', () => {
  const path = file('client.properties', secretFile.replace('my.private', 'x').replace(/ssl.key.*\n/, ''));
  const { sasl } = destination(`\${file:${path}}`, {});
  assert.ok(sasl?.mechanism === 'plain');
  assert.equal(sasl.password.current(), 'canary-1');
  writeFileSync(path, secretFile.replace('canary-1', 'canary-9'));
  assert.equal(sasl.password.current(), 'canary-9');
  writeFileSync(path, 'sasl.jaas.config=org');
  assert.equal(sasl.password.current(), 'canary-9');
});

test('references in it are resolved and read again', () => {
  variables['PW'] = 'one';
  const { sasl } = destination('sasl.mechanism=PLAIN\nsasl.username=u\nsasl.password=${PW}');
  variables['PW'] = 'two';
  assert.ok(sasl?.mechanism === 'plain');
  assert.equal(sasl.password.current(), 'two');
});

test('the level of a codec counts with that codec alone', () => {
  const { producer } = destination({ 'compression.type': 'gzip', 'compression.gzip.level': '9' });
  assert.equal(producer.compressionLevel, 9);
  const { warnings } = check({ 'compression.type': 'gzip', 'compression.zstd.level': 3 }, { brokers: 'kafka' });
  assert.deepEqual(
    warnings.map(({ path, reason }) => [path, reason]),
    [['destinations.main.kafka["compression.zstd.level"]', 'has no effect without compression.type=zstd.']],
  );
});

test('acks is all and -1 alike', () => {
  assert.equal(destination({ acks: '-1' }, { brokers: 'kafka', producer: { acks: 'all' } }).producer.acks, -1);
});

test('what contradicts is told by the names that were pasted', () => {
  const cases: [JsonObject, string, RegExp, RegExp][] = [
    [
      { 'ssl.ca.location': ca, 'security.protocol': 'PLAINTEXT' },
      'ssl.ca.location',
      /contradicts `security.protocol=PLAINTEXT`/,
      /Write security.protocol=SSL, or take `ssl.ca.location` out/,
    ],
    [
      { 'sasl.username': 'u', 'sasl.password': 'p', 'sasl.mechanism': 'PLAIN', 'security.protocol': 'PLAINTEXT' },
      'sasl.mechanism|sasl.username|sasl.password',
      /contradicts `security.protocol=PLAINTEXT`/,
      /Write security.protocol=SASL_PLAINTEXT/,
    ],
    [{ 'ssl.keystore.key': client.key }, 'ssl.keystore.key', /needs `ssl.keystore.certificate.chain`/, /Add it/],
    [
      { 'ssl.certificate.location': cert },
      'ssl.certificate.location',
      /needs `ssl.keystore.key` or `ssl.key.location`/,
      /Add it/,
    ],
    [{ 'max.block.ms': '9223372036854775807' }, 'max.block.ms', /9223372036854775807/, /Choose a whole number/],
    [{ 'linger.ms': '0.5' }, 'linger.ms', /whole number.* 0\.5/, /Choose a whole number/],
  ];
  for (const [kafka, names, reason, remedy] of cases) {
    const told = problem(kafka);
    assert.match(told.path, new RegExp(`^destinations\\.main\\.kafka\\["(?:${names})"\\]$`));
    assert.match(told.reason, reason);
    assert.match(told.remedy, remedy);
  }
});

test('an option of a login module that nobody knows: which one it means, not what stands there', () => {
  const told = (option: string): Problem =>
    check(
      {
        'sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="p" ${option};`,
      },
      { brokers: 'kafka' },
    ).warnings[0]!;
  assert.match(`${told('user_name="x"').reason}`, /users of a broker|number 3/);
  assert.match(told('passwort="x"').remedy, /Did you mean `password`/);
  assert.match(told('canary="x"').reason, /option \(number 3\) that is not known/);
  assert.doesNotMatch(JSON.stringify(told('canary="x"')), /canary/);
});

test('a location that is left empty counts as left out, and is told', () => {
  const names = ['ssl.truststore.location', 'ssl.keystore.location', 'ssl.key.location', 'https.ca.location'];
  const { problems, warnings } = check(Object.fromEntries(names.map((name) => [name, ''])), { brokers: 'kafka' });
  assert.deepEqual(problems, []);
  assert.deepEqual(
    warnings.map(({ path, reason }) => `${path} ${reason}`).sort(),
    names.map((name) => `destinations.main.kafka["${name}"] is empty, which counts as left out.`).sort(),
  );
});

test('a partitioner that ignores keys is told', () => {
  const name = 'org.apache.kafka.clients.producer.RoundRobinPartitioner';
  const { warnings } = check({ 'partitioner.class': name }, { brokers: 'kafka' });
  assert.match(warnings[0]?.reason ?? '', /ignores keys/);
});

test('a smaller request takes smaller batches along', () => {
  assert.equal(destination({ 'max.request.size': 500_000 }).producer.batchBytes, 500_000);
});
