/** A broker with a listener for each login, and destinations whose every secret is a canary: such that work, and such that fail. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { RunningKafka } from '../../src/local/kafka.ts';
import { fastStartFlags } from '../../src/local/java.ts';
import type { JsonObject } from '../../src/model/index.ts';
import type { Canaries } from './canaries.ts';
import { issue, keyEncodings, type Certificate } from './certificates.ts';
import { ownKafka } from './kafka.ts';
import type { OidcServer } from './oidc.ts';
import { oracle } from './oracle.ts';
import { keyStore } from './secure-kafka.ts';

const PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule';
const SCRAM = 'org.apache.kafka.common.security.scram.ScramLoginModule';
const BEARER = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;';

export interface CanarySetup {
  readonly kafka: RunningKafka;
  /** By name; each delivers. */
  readonly working: Readonly<Record<string, JsonObject>>;
  /** By name; each is sound as configuration, and cannot connect. */
  readonly failing: Readonly<Record<string, JsonObject>>;
  /** What the references in them read. */
  readonly env: Readonly<Record<string, string>>;
  readonly client: Certificate;
}

/** Files go into the folder. The token servers hang or refuse, whatever they are asked. */
export async function canarySetup(
  canaries: Canaries,
  folder: string,
  { sound: oidc, refusing, hanging }: Readonly<Record<'sound' | 'refusing' | 'hanging', OidcServer>>,
): Promise<CanarySetup> {
  const authority = issue({ commonName: 'authority', authority: true });
  const client = issue({ commonName: 'client', issuer: authority });
  const passwords = Object.fromEntries(users.map((name) => [name, canaries.make(`password of ${name}`)]));
  const kafka = await startBroker(folder, authority, passwords, oidc.jwksUrl);
  for (const [name, password] of Object.entries(passwords))
    if (name.startsWith('scram')) await oracle(kafka.bootstrap).setScramPassword(name, password);
  const files = {
    password: write(folder, 'password', `${passwords['file']}\n`),
    token: write(folder, 'token', newToken(canaries, 'token in a file')),
  };
  const clientSecret = canaries.make('client secret');
  await oidc.set({ clientSecret });
  const sts = await stsServer();
  return {
    kafka,
    client,
    working: {
      ...passwordsThatWork(kafka, passwords, files.password),
      ...certificatesThatWork(kafka, canaries, folder, { authority, client }),
      ...tokensThatWork(kafka, canaries, files.token, { token_url: oidc.tokenUrl, client_secret: clientSecret }),
    },
    failing: failing(kafka, canaries, authority, { refusing, hanging }),
    env: {
      CANARY_PASSWORD: passwords['env']!,
      CANARY_SCRAM: passwords['scram512']!,
      AWS_ENDPOINT_URL_STS: sts,
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: '/nonexistent/config',
      AWS_SHARED_CREDENTIALS_FILE: '/nonexistent/credentials',
      AWS_ACCESS_KEY_ID: 'AKIDCHAIN',
      AWS_SECRET_ACCESS_KEY: canaries.make('AWS secret of the environment'),
    },
  };
}

const users = ['inline', 'env', 'file', 'mapping', 'text', 'jaas', 'fallback', 'scram256', 'scram512', 'scramText'];

async function startBroker(
  folder: string,
  authority: Certificate,
  passwords: Readonly<Record<string, string>>,
  jwksUrl: string,
): Promise<RunningKafka> {
  const broker = issue({ commonName: 'broker', altNames: ['localhost', '127.0.0.1'], issuer: authority });
  const store = keyStore(folder, 'broker', broker);
  const trust = { 'ssl.truststore.type': 'PEM', 'ssl.truststore.location': write(folder, 'trust.pem', authority.pem) };
  const known = Object.entries(passwords).map(([name, password]) => `user_${name}="${quoted(password)}"`);
  const login = {
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    'plain.sasl.jaas.config': `${PLAIN} required ${known.join(' ')};`,
    'scram-sha-256.sasl.jaas.config': `${SCRAM} required;`,
    'scram-sha-512.sasl.jaas.config': `${SCRAM} required;`,
  };
  const bearer = { 'sasl.enabled.mechanisms': 'OAUTHBEARER', 'oauthbearer.sasl.jaas.config': BEARER };
  const verified = {
    ...bearer,
    'oauthbearer.sasl.server.callback.handler.class':
      'org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler',
    'sasl.oauthbearer.jwks.endpoint.url': jwksUrl,
    'sasl.oauthbearer.expected.audience': 'kafka',
    'sasl.oauthbearer.expected.issuer': 'https://login.test/',
  };
  return ownKafka({
    listeners: [
      { name: 'SASL', protocol: 'SASL_PLAINTEXT', properties: login },
      { name: 'SASLSSL', protocol: 'SASL_SSL', properties: { ...store, ...login } },
      { name: 'MUTUAL', protocol: 'SSL', properties: { ...store, ...trust, 'ssl.client.auth': 'required' } },
      { name: 'BEARER', protocol: 'SASL_PLAINTEXT', properties: bearer },
      { name: 'OIDC', protocol: 'SASL_PLAINTEXT', properties: verified },
    ],
    jvm: [...fastStartFlags, `-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${jwksUrl}`],
  });
}

/** Every way to write a password down. */
function passwordsThatWork(
  kafka: RunningKafka,
  passwords: Readonly<Record<string, string>>,
  file: string,
): Record<string, JsonObject> {
  const brokers = kafka.bootstrapOf('SASL');
  const protocol = 'sasl_plaintext';
  const plain = (username: string, password: string): JsonObject => ({
    brokers,
    protocol,
    sasl: { mechanism: 'plain', username, password },
  });
  const scram = (mechanism: string, username: string, password: string): JsonObject => ({
    ...plain(username, password),
    sasl: { mechanism, username, password },
  });
  const text = (lines: readonly string[]): JsonObject => ({
    kafka: [`bootstrap.servers=${brokers}`, 'security.protocol=SASL_PLAINTEXT', ...lines].join('\n'),
  });
  const jaas = (module: string, name: string): string =>
    `${module} required username="${name}" password="${quoted(passwords[name]!)}";`;
  const inFile = (value: string): string => value.replaceAll('\\', '\\\\');
  return {
    inline: plain('inline', passwords['inline']!),
    env: plain('env', '${CANARY_PASSWORD}'),
    file: plain('file', `\${file:${file}}`),
    fallback: plain('fallback', `\${CANARY_NOWHERE:-${passwords['fallback']}}`),
    mapping: {
      brokers,
      kafka: {
        'security.protocol': 'SASL_PLAINTEXT',
        'sasl.mechanism': 'PLAIN',
        'sasl.username': 'mapping',
        'sasl.password': passwords['mapping']!,
      },
    },
    text: text(['sasl.mechanism=PLAIN', 'sasl.username=text', `sasl.password=${inFile(passwords['text']!)}`]),
    jaas: {
      brokers,
      kafka: {
        'security.protocol': 'SASL_PLAINTEXT',
        'sasl.mechanism': 'PLAIN',
        'sasl.jaas.config': jaas(PLAIN, 'jaas'),
      },
    },
    scram256: scram('scram-sha-256', 'scram256', passwords['scram256']!),
    scram512: scram('scram-sha-512', 'scram512', '${CANARY_SCRAM}'),
    scramText: text(['sasl.mechanism=SCRAM-SHA-512', `sasl.jaas.config=${inFile(jaas(SCRAM, 'scramText'))}`]),
  };
}

function certificatesThatWork(
  kafka: RunningKafka,
  canaries: Canaries,
  folder: string,
  { authority, client }: { authority: Certificate; client: Certificate },
): Record<string, JsonObject> {
  const encrypted = canaries.make('key password');
  const storePassword = canaries.make('key store password', { odd: false });
  const [pem, store] = [write(folder, 'client.pem', client.chain + client.key), join(folder, 'client.p12')];
  const made = ['pkcs12', '-export', '-in', pem, '-out', store, '-passout', `pass:${storePassword}`];
  execFileSync('openssl', made, { stdio: 'pipe' });
  const at = (tls: JsonObject): JsonObject => ({
    brokers: kafka.bootstrapOf('MUTUAL'),
    tls: { ca: authority.pem, ...tls },
  });
  return {
    key: at({ cert: client.pem, key: canaries.noteKey('private key', client.key) }),
    encrypted: at({
      cert: client.pem,
      key: keyEncodings(client.keys, encrypted)['PKCS#8, encrypted']!,
      key_password: encrypted,
    }),
    store: at({ key_store: store, key_store_password: storePassword }),
  };
}

function tokensThatWork(
  kafka: RunningKafka,
  canaries: Canaries,
  tokenFile: string,
  server: JsonObject,
): Record<string, JsonObject> {
  const at = (listener: string, sasl: JsonObject): JsonObject => ({
    brokers: kafka.bootstrapOf(listener),
    protocol: 'sasl_plaintext',
    sasl: { mechanism: 'oauthbearer', ...sasl },
  });
  return {
    token: at('BEARER', { token: newToken(canaries, 'token') }),
    tokenFile: at('BEARER', { token_file: tokenFile }),
    oidc: at('OIDC', { oidc: { ...server, client_id: 'headrace' } }),
  };
}

function failing(
  kafka: RunningKafka,
  canaries: Canaries,
  authority: Certificate,
  { refusing, hanging }: Readonly<Record<'refusing' | 'hanging', OidcServer>>,
): Record<string, JsonObject> {
  const secret = (name: string): string => canaries.make(`failing: ${name}`);
  const login = (mechanism: string, name: string): JsonObject => ({
    mechanism,
    username: 'inline',
    password: secret(name),
  });
  const sasl = { brokers: kafka.bootstrapOf('SASL'), protocol: 'sasl_plaintext' };
  const oidc = (name: string, { tokenUrl }: OidcServer): JsonObject => ({
    ...sasl,
    brokers: kafka.bootstrapOf('OIDC'),
    sasl: {
      mechanism: 'oauthbearer',
      oidc: { token_url: tokenUrl, client_id: 'headrace', client_secret: secret(name) },
    },
  });
  const iam = (more: JsonObject): JsonObject => ({
    ...sasl,
    brokers: kafka.bootstrapOf('BEARER'),
    sasl: { mechanism: 'aws-msk-iam', region: 'eu-west-1', ...more },
  });
  const keys = (name: string): JsonObject => ({
    access_key_id: 'AKIDGIVEN',
    secret_access_key: canaries.make(`AWS secret: ${name}`),
    session_token: canaries.make(`AWS session: ${name}`),
  });
  const role = (name: string): string => `arn:aws:iam::123456789012:role/${name}`;
  return {
    wrongPassword: { ...sasl, sasl: login('plain', 'plain') },
    wrongScram: { ...sasl, sasl: login('scram-sha-256', 'scram') },
    wrongJaas: {
      kafka: `bootstrap.servers=${sasl.brokers}\nsecurity.protocol=SASL_PLAINTEXT\nsasl.jaas.config=${PLAIN} required username="inline" password="${canaries.make('failing: jaas', { odd: false })}";\nmy.own.setting=${canaries.make('unknown property', { odd: false })}\nsasl.jaas.confg=${canaries.make('misspelt property', { odd: false })}\n`,
    },
    unreachable: { brokers: '127.0.0.1:1', protocol: 'sasl_plaintext', sasl: login('plain', 'unreachable') },
    unknownAuthority: { brokers: kafka.bootstrapOf('SASLSSL'), sasl: login('plain', 'unknown authority') },
    plainToTls: { ...sasl, brokers: kafka.bootstrapOf('SASLSSL'), sasl: login('plain', 'plain to TLS') },
    tlsToPlain: { brokers: kafka.bootstrap, tls: { ca: authority.pem }, sasl: login('scram-sha-512', 'TLS to plain') },
    refusedToken: { ...sasl, sasl: { mechanism: 'oauthbearer', token: newToken(canaries, 'refused token') } },
    oddToken: {
      ...sasl,
      brokers: kafka.bootstrapOf('OIDC'),
      sasl: { mechanism: 'oauthbearer', token: secret('odd token') },
    },
    oidcRefused: oidc('refused client secret', refusing),
    oidcHangs: oidc('client secret of a server that hangs', hanging),
    iamKeys: iam(keys('static')),
    iamHangs: iam({ ...keys('hang'), role_arn: role('hang') }),
    iamRefused: iam({ ...keys('refuse'), role_arn: role('refuse') }),
    iamChain: iam({}),
  };
}

/** Hangs for the role `hang`; refuses all others, and repeats all that it was sent. */
async function stsServer(): Promise<string> {
  const server: Server = createServer((request, response) => {
    void request.toArray().then((chunks: Buffer[]) => {
      const form = Buffer.concat(chunks).toString();
      if (form.includes('hang')) return;
      const sent = `${form} ${JSON.stringify(request.headers)}`.replaceAll(/[<>&]/g, ' ');
      const error = `<Error><Type>Sender</Type><Code>AccessDenied</Code><Message>${sent}</Message></Error>`;
      response.writeHead(403, { 'content-type': 'text/xml' });
      response.end(`<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">${error}</ErrorResponse>`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** An unsecured token; what is secret of it is its id. */
function newToken(canaries: Canaries, name: string): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    jti: canaries.make(`id of the ${name}`),
    sub: 'app',
    iat: now - 10,
    exp: now + 86_400,
    scope: 'kafka',
  };
  const [header, payload] = [{ alg: 'none' }, claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  );
  return canaries.note(name, `${header}.${payload}.`, payload!.slice(12, 60));
}

function write(folder: string, name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

/** Between the quotes of JAAS. */
function quoted(text: string): string {
  return text.replaceAll(/["\\]/g, (character) => `\\${character}`);
}
