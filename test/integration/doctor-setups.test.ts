/** Broken set-ups against a real broker: for each the step that fails, and the words that lead out of it. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { StepName } from '../../src/kafka/doctor/report.ts';
import type { ListenerOptions } from '../../src/local/properties.ts';
import type { JsonObject } from '../../src/model/index.ts';
import { issue, YEAR_MS, type Certificate } from '../support/certificates.ts';
import { allow, deafPort, examined, failedStep, stranger } from '../support/doctor.ts';
import { createTopic, newTopic, uniqueTopic } from '../support/kafka.ts';
import { startOidc, type OidcServer } from '../support/oidc.ts';
import { keyStore, secureKafka, users, type SecureKafka } from '../support/secure-kafka.ts';
import { writtenDestination } from '../support/written-destination.ts';

const folder = mkdtempSync(join(tmpdir(), 'headrace-doctor-'));
const ends: (() => void)[] = [() => rmSync(folder, { recursive: true, force: true })];
after(() => ends.forEach((end) => end()));

const [past, lately] = [new Date(Date.now() - 3 * YEAR_MS), new Date(Date.now() - YEAR_MS)];
const oldAuthority = issue({ commonName: 'old authority', authority: true, notBefore: past, notAfter: lately });
const altNames = ['localhost', '127.0.0.1'];
const selfSigned = issue({ commonName: 'self-signed', altNames });
const ofOldAuthority = issue({ commonName: 'of the old authority', altNames, issuer: oldAuthority });
const soonOver = issue({ commonName: 'soon-over', altNames, notAfter: new Date(Date.now() + 10 * 24 * 3_600_000) });

let secure: SecureKafka;
let oidc: OidcServer;
let silent: string;
let closedPort: number;
/** Names that no other test has: `there` exists. */
const topics = { there: '', absent: uniqueTopic('absent'), tiny: '' };

before(async () => {
  const plain = 'org.apache.kafka.common.security.plain.PlainLoginModule required';
  const bearer = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required';
  const listener = (name: string, certificate: Certificate): ListenerOptions => ({
    name,
    protocol: 'SSL',
    properties: keyStore(folder, name, certificate),
  });
  secure = await secureKafka({
    properties: {
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS;User:app;User:odd',
    },
    listeners: [
      listener('OLDCA', ofOldAuthority),
      listener('SELF', selfSigned),
      listener('SOON', soonOver),
      { name: 'AWAY', protocol: 'PLAINTEXT', advertisedHost: 'kafka-inner.invalid' },
      { name: 'METADATA', protocol: 'PLAINTEXT', advertisedHost: '169.254.169.254' },
      {
        name: 'LOGIN',
        protocol: 'SASL_PLAINTEXT',
        properties: {
          'sasl.enabled.mechanisms': 'PLAIN',
          'plain.sasl.jaas.config': `${plain} user_seer="p" user_writer="p" user_nobody="p";`,
        },
      },
      {
        name: 'BEARER',
        protocol: 'SASL_PLAINTEXT',
        properties: {
          'sasl.enabled.mechanisms': 'OAUTHBEARER',
          'oauthbearer.sasl.jaas.config': `${bearer} unsecuredLoginStringClaim_sub="broker";`,
        },
      },
    ],
  });
  const { bootstrap } = secure.kafka;
  topics.there = await newTopic(bootstrap, 'there');
  topics.tiny = uniqueTopic('tiny');
  await createTopic(bootstrap, topics.tiny, { config: { 'max.message.bytes': '60' } });
  await allow(bootstrap, [
    ['seer', 'describe', topics.there],
    ['writer', 'write', topics.there],
    ['writer', 'write', topics.absent],
  ]);
  oidc = await startOidc();
  // A hook made within this one would end with it.
  silent = await stranger({ after: (end) => ends.push(end) }, () => {});
  closedPort = await deafPort();
});

interface Setup {
  readonly fields: () => JsonObject;
  /** Of its syncs. */
  readonly topics?: () => string[];
  readonly step: StepName;
  readonly cause: RegExp;
  readonly remedy: RegExp;
}

const at = (listener: string): JsonObject => ({ brokers: secure.kafka.bootstrapOf(listener) });
const authority = (): JsonObject => ({ ca: secure.certificates.authority.pem });
const pair = (name: 'clientRsa' | 'clientOfStranger'): JsonObject => {
  const { chain, key } = secure.certificates[name];
  return { cert: chain, key };
};
const password = (username: string, given = 'p', mechanism = 'plain'): JsonObject => ({
  protocol: 'sasl_plaintext',
  sasl: { mechanism, username, password: given },
});
const bearer = (oidcFields: () => JsonObject): (() => JsonObject) => {
  const common = { client_id: 'headrace', client_secret: 'a secret' };
  return () => ({
    ...at('BEARER'),
    protocol: 'sasl_plaintext',
    sasl: { mechanism: 'oauthbearer', oidc: { ...common, ...oidcFields() } },
  });
};
const sasl = /Set `sasl`/;

const setups: Readonly<Record<string, Setup>> = {
  'plain text to an encrypted listener': {
    fields: () => at('SSL'),
    step: 'tls',
    cause: /answers TLS|speaks TLS/,
    remedy: /protocol: ssl/,
  },
  'a login in plain text to an encrypted listener': {
    fields: () => ({ ...at('SASLSSL'), ...password('app', users.app.password) }),
    step: 'tls',
    cause: /answers TLS|speaks TLS/,
    remedy: /^Set `protocol: sasl_ssl`, or/,
  },
  'TLS to a plain listener': {
    fields: () => ({ brokers: secure.kafka.bootstrap, tls: authority() }),
    step: 'tls',
    cause: /in plain text, not TLS/,
    remedy: /Take `tls` out and set `protocol: plaintext`/,
  },
  'TLS and a login to a plain listener with logins': {
    fields: () => ({ ...at('LOGIN'), ...password('seer'), protocol: 'sasl_ssl', tls: authority() }),
    step: 'tls',
    cause: /in plain text, not TLS/,
    remedy: /protocol: sasl_plaintext/,
  },
  'an authority that did not sign it': {
    fields: () => ({ ...at('SSL'), tls: { ca: secure.certificates.stranger.pem } }),
    step: 'tls',
    cause: /nobody who is trusted here has signed it; its issuer is CN=authority of servers/,
    remedy: /`tls: \{ca: …\}`.*is another/,
  },
  "the system's authorities": {
    fields: () => ({ ...at('SSL'), protocol: 'ssl' }),
    step: 'tls',
    cause: /nobody who is trusted here/,
    remedy: /`tls: \{ca: …\}`.*system's authorities/,
  },
  'an expired certificate of the broker': {
    fields: () => ({ ...at('EXPIRED'), tls: authority() }),
    step: 'tls',
    cause: /CN=expired.*valid until 20\d\d-.*it has expired/,
    remedy: /Renew the certificate of the broker/,
  },
  'an expired authority': {
    fields: () => ({ ...at('OLDCA'), tls: { ca: oldAuthority.pem } }),
    step: 'tls',
    cause: /the authority CN=old authority.* has expired/,
    remedy: /Renew the authority/,
  },
  'a certificate for another name': {
    fields: () => ({ ...at('OTHERNAME'), tls: authority() }),
    step: 'tls',
    cause: /not made for 127\.0\.0\.1 but for DNS:kafka\.example\.com/,
    remedy: /subjectAltName/,
  },
  'a self-signed certificate': {
    fields: () => ({ ...at('SELF'), tls: authority() }),
    step: 'tls',
    cause: /self-signed/,
    remedy: /`tls: \{ca: …\}` to this certificate itself/,
  },
  'ssl.client.auth=required without a certificate': {
    fields: () => ({ ...at('MUTUAL'), tls: authority() }),
    step: 'tls',
    cause: /asks for a client certificate/,
    remedy: /cert: …, key: ….*ssl\.client\.auth=required/,
  },
  'a client certificate of a foreign authority': {
    fields: () => ({ ...at('MUTUAL'), tls: { ...authority(), ...pair('clientOfStranger') } }),
    step: 'tls',
    cause: /does not trust our client certificate/,
    remedy: /trust store of the broker/,
  },
  'no login where one is expected': {
    fields: () => at('LOGIN'),
    step: 'sasl',
    cause: /expects SASL \(it offers PLAIN\)/,
    remedy: sasl,
  },
  'a login where none is expected': {
    fields: () => ({ brokers: secure.kafka.bootstrap, ...password('app') }),
    step: 'sasl',
    cause: /expects no login/,
    remedy: /Leave `sasl` out/,
  },
  'a wrong password (PLAIN)': {
    fields: () => ({ ...at('LOGIN'), ...password('seer', 'wrong') }),
    step: 'sasl',
    cause: /refused the credentials/,
    remedy: /user name and password/,
  },
  'a wrong password (SCRAM)': {
    fields: () => ({ ...at('SASL'), ...password('app', 'wrong', 'scram-sha-512') }),
    step: 'sasl',
    cause: /refused the credentials/,
    remedy: /user name and password/,
  },
  'a mechanism that is not offered': {
    fields: () => ({ ...at('LOGIN'), ...password('seer', 'p', 'scram-sha-256') }),
    step: 'sasl',
    cause: /does not offer SCRAM-SHA-256: it offers PLAIN/,
    remedy: /sasl\.enabled\.mechanisms/,
  },
  'a token endpoint that refuses connections': {
    fields: bearer(() => ({ token_url: `http://127.0.0.1:${closedPort}/token` })),
    step: 'sasl',
    cause: /token endpoint .* the connection is refused/,
    remedy: /token_url/,
  },
  'a token endpoint that hangs': {
    fields: bearer(() => ({ token_url: `http://${silent}/token` })),
    step: 'sasl',
    cause: /token endpoint .* (in time|within)|no answer within/,
    remedy: /token|network/i,
  },
  'a token endpoint that refuses the client': {
    fields: bearer(() => ({ token_url: oidc.tokenUrl, client_secret: 'wrong' })),
    step: 'sasl',
    cause: /refused the client/,
    remedy: /client_secret/,
  },
  'AWS IAM at a broker whose name tells no region': {
    fields: () => ({
      ...at('BEARER'),
      protocol: 'sasl_plaintext',
      sasl: { mechanism: 'aws-msk-iam', access_key_id: 'AKIAEXAMPLE', secret_access_key: 'secret' },
    }),
    step: 'sasl',
    cause: /region/,
    remedy: /region/,
  },
  "the inner listener's name told to the outer one": {
    fields: () => at('AWAY'),
    step: 'brokers',
    cause: /broker 1 is advertised as kafka-inner\.invalid:\d+: the name .* does not resolve/,
    remedy: /advertised\.listeners/,
  },
  'a metadata service advertised as a broker': {
    fields: () => at('METADATA'),
    step: 'brokers',
    cause: /169\.254\.169\.254.*must not be connected to/,
    remedy: /advertised\.listeners/,
  },
  'a topic that may not be seen': {
    fields: () => ({ ...at('LOGIN'), ...password('nobody') }),
    topics: () => [topics.there],
    step: 'topic',
    cause: /may not see topic there/,
    remedy: /Describe and Write/,
  },
  'a topic that may be seen and not written': {
    fields: () => ({ ...at('LOGIN'), ...password('seer') }),
    topics: () => [topics.there],
    step: 'write',
    cause: /may see but not write to topic there/,
    remedy: /ACL operation Write/,
  },
  'a topic that may not be created': {
    fields: () => ({ ...at('LOGIN'), ...password('writer'), topics: { create: { partitions: 1, replication: 1 } } }),
    topics: () => [topics.absent],
    step: 'write',
    cause: /absent.* may not create it/,
    remedy: /ACL operation Create/,
  },
  'idempotence that is not allowed': {
    fields: () => ({ ...at('LOGIN'), ...password('nobody') }),
    step: 'write',
    cause: /idempotent producer/,
    remedy: /IdempotentWrite/,
  },
  'a topic that is not there': {
    fields: () => ({ brokers: secure.kafka.bootstrap }),
    topics: () => [topics.absent],
    step: 'topic',
    cause: /topic absent.* does not exist/,
    remedy: /Create it, .*create: broker.*create: \{partitions/,
  },
  'topics left to a cluster that makes none': {
    fields: () => ({ brokers: secure.kafka.bootstrap, topics: { create: 'broker' } }),
    topics: () => [topics.absent],
    step: 'topic',
    cause: /auto\.create\.topics\.enable is false/,
    remedy: /auto\.create\.topics\.enable/,
  },
  'more replicas than brokers': {
    fields: () => ({ brokers: secure.kafka.bootstrap, topics: { create: { partitions: 1, replication: 3 } } }),
    topics: () => [topics.absent],
    step: 'write',
    cause: /cannot be created/,
    remedy: /3 replicas are asked for, and the cluster has 1 broker: lower `replication`/,
  },
  'a test topic that is not there': {
    fields: () => ({ brokers: secure.kafka.bootstrap, test_topic: topics.absent }),
    step: 'topic',
    cause: /absent.* does not exist/,
    remedy: /Create it/,
  },
  'a test topic too small for any message': {
    fields: () => ({ brokers: secure.kafka.bootstrap, test_topic: topics.tiny }),
    step: 'message',
    cause: /larger than/,
    remedy: /max\.message\.bytes/,
  },
};

for (const [name, setup] of Object.entries(setups))
  test(name, async () => {
    const destination = writtenDestination(setup.fields());
    const report = await examined(destination, { inProcess: true, topics: setup.topics?.() ?? [] });
    const { step, cause, remedy } = failedStep(report);
    assert.equal(step, setup.step, cause);
    assert.match(cause, setup.cause);
    assert.match(remedy, setup.remedy);
    for (const secret of ['a secret', 'wrong-secret', users.app.password])
      assert.ok(!JSON.stringify(report).includes(secret));
  });

test('keys and stores that cannot be used are told at the settings, before anything is dialled', () => {
  const refused = (fields: JsonObject, words: RegExp): void =>
    assert.throws(() => writtenDestination({ brokers: '127.0.0.1:1', ...fields }), words);
  const store = join(folder, 'truststore.jks');
  writeFileSync(store, Buffer.concat([Buffer.from('feedfeed00000002', 'hex'), Buffer.alloc(100)]));
  refused({ tls: { ca: `\${file:${store}}` } }, /keytool|key store|PEM/i);
  refused({ tls: { ca: 'no certificate' } }, /PEM|certificate/);
  refused({ tls: { cert: pair('clientRsa')['cert']!, key: pair('clientOfStranger')['key']! } }, /tls\.key/);
});

test('what is well: encrypted, logged in, its topic written to; what should not stay is warned of', async () => {
  const destination = writtenDestination({
    ...at('SASLSSL'),
    tls: authority(),
    sasl: { mechanism: 'scram-sha-512', username: users.app.username, password: users.app.password },
    test_topic: topics.there,
  });
  const report = await examined(destination, { inProcess: true, topics: [topics.there] });
  assert.equal(report.ok, true, JSON.stringify(report.steps));
  const detail = (step: StepName): string => report.steps.find((one) => one.step === step)!.detail;
  assert.match(detail('tls'), /^TLSv1\.\d, CN=server, issued by CN=authority of servers, valid until \d{4}-\d\d-\d\d/);
  assert.match(detail('sasl'), /logged in by scram-sha-512/);
  assert.match(detail('brokers'), /1 at 127\.0\.0\.1:\d+ from 127\.0\.0\.1/);
  assert.match(detail('topic'), /there-.*: 1 partition, replication 1, messages up to \d+ bytes/);
  assert.match(detail('write'), /may write to topic there.*; may write idempotently/);
  assert.match(detail('message'), /written to there/);
  assert.doesNotMatch(detail('tls'), /by way of/);
  // Kafka's own defaults go together.
  assert.ok(!report.warnings.some((warning) => warning.includes('max_request_size')), report.warnings.join());

  const risky = writtenDestination({
    ...at('SOON'),
    tls: { verify: false },
    producer: { acks: 1, idempotence: false },
  });
  const { ok, warnings } = await examined(risky);
  assert.ok(ok);
  for (const words of [/verify is off/, /acks is 1/, /CN=soon-over\) expires in 9 days/, /one broker/])
    assert.ok(
      warnings.some((warning) => words.test(warning)),
      `${words} in ${warnings.join('\n')}`,
    );
  assert.ok(!warnings.some((warning) => warning.includes(topics.there)), 'a topic that it does not write to');
  const open = writtenDestination({ ...at('LOGIN'), ...password('writer') });
  assert.ok((await examined(open)).warnings.some((warning) => /plain text/.test(warning)));
});
