/** Destinations that must be refused, each with a canary at or beside the very field at fault. */
import type { JsonObject } from '../../src/model/index.ts';
import type { Canaries } from './canaries.ts';
import type { Certificate } from './certificates.ts';

const at = { brokers: '127.0.0.1:9' };
const ours = 'org.apache.kafka.common.security.plain.PlainLoginModule required';

/** By what is wrong with it. `client` has a certificate and a key that would do. */
export function badDestinations(canaries: Canaries, client: Certificate): Readonly<Record<string, JsonObject>> {
  const secret = (name: string): string => canaries.make(`refused: ${name}`);
  // A quote in it would end JAAS' own.
  const word = (name: string): string => canaries.make(`refused: ${name}`, { odd: false });
  const plain = (name: string, more: JsonObject = {}): JsonObject => ({
    mechanism: 'plain',
    username: 'u',
    password: secret(name),
    ...more,
  });
  const bearer = (login: JsonObject): JsonObject => ({ ...at, sasl: { mechanism: 'oauthbearer', ...login } });
  const digits = canaries.note('refused: digits', `${BigInt(`0x${canaries.make('digits').slice(0, 16)}`)}`);
  const pem = (body: string): string => `-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----\n`;
  const tls = (more: JsonObject): JsonObject => ({ ...at, tls: { cert: client.pem, key: client.key, ...more } });
  return {
    'a login beside plaintext': { ...at, protocol: 'plaintext', sasl: plain('beside plaintext') },
    'a zero byte': { ...at, sasl: plain('zero byte', { password: `${secret('zero')}\0` }) },
    'a field of another mechanism': { ...at, sasl: plain('other field', { token: secret('token beside a password') }) },
    'a misspelt field': { ...at, sasl: { mechanism: 'plain', username: 'u', pasword: secret('misspelt') } },
    'a password in a list': { ...at, sasl: plain('', { password: [secret('list')] }) },
    'a password of digits': {
      ...at,
      sasl: plain('', { password: Number(digits.slice(0, 15)), username: '${NOWHERE}' }),
    },
    'a reference that does not resolve': { ...at, sasl: plain('', { password: `${secret('beside')}\${NOWHERE}` }) },
    'a broken reference': { ...at, sasl: plain('', { password: `${secret('broken')}\${` }) },
    'a file that is not there': { ...at, sasl: plain('beside file', { username: '${file:/nowhere}' }) },
    'an unknown mechanism': { ...at, sasl: plain('mechanism', { mechanism: 'md5' }) },
    'a login as text': { ...at, sasl: secret('login as text') },
    'tls as text': { ...at, tls: secret('tls as text') },
    'a key that is damaged': tls({ key: pem(secret('damaged key')) }),
    'a key as authority': tls({ ca: pem(secret('key as authority')) }),
    'a password as key': tls({ key: secret('password as key') }),
    'a key password that is none': tls({ key: client.key, key_password: secret('key password'), cert: 'x' }),
    'a key without certificate': { ...at, tls: { key: canaries.noteKey('refused: lone key', client.key) } },
    'a key store that is none': { ...at, tls: { key_store: '/etc/hostname', key_store_password: secret('key store') } },
    'two tokens': bearer({ token: secret('two tokens'), unsecured: { principal: 'p' } }),
    'a token server with a password': bearer({
      oidc: {
        token_url: `https://u:${secret('url').slice(0, 20)}@id/token`,
        client_id: 'c',
        client_secret: secret('url'),
      },
    }),
    'a token server as text': bearer({ oidc: secret('oidc as text') }),
    'a secret without its access key': {
      ...at,
      sasl: { mechanism: 'aws-msk-iam', secret_access_key: secret('aws'), session_token: secret('session') },
    },
    'two passwords': { ...at, sasl: plain('two'), kafka: { 'sasl.password': secret('second') } },
    'a password twice in a file': {
      ...at,
      kafka: `sasl.password=${secret('first')}\nsasl.password=${secret('again')}`,
    },
    'JAAS with an open quote': {
      ...at,
      kafka: { 'sasl.jaas.config': `${ours} username="u" password="${word('open')}` },
    },
    'JAAS of another module': { ...at, kafka: { 'sasl.jaas.config': `a.B required password="${word('module')}";` } },
    'JAAS with words': { ...at, kafka: { 'sasl.jaas.config': `${ours} username=u password ${word('words')};` } },
    'JAAS against the mechanism': {
      ...at,
      kafka: {
        'sasl.mechanism': 'SCRAM-SHA-256',
        'sasl.jaas.config': `${ours} username="u" password="${word('other')}";`,
      },
    },
    'a path that is a key': {
      ...at,
      kafka: { 'ssl.key.location': '/etc/hostname', 'ssl.key.password': secret('path') },
    },
    'kafka as a list': { ...at, kafka: [secret('kafka as a list')] },
  };
}

/** Whole files that YAML cannot read, or reads otherwise than was meant. */
export function badFiles(canaries: Canaries): Readonly<Record<string, string>> {
  const secret = (name: string): string => canaries.make(`unread: ${name}`, { odd: false });
  const password = (text: string): string =>
    `destinations:\n  main:\n    brokers: 127.0.0.1:9\n    sasl:\n      mechanism: plain\n      username: u\n      password: ${text}\n`;
  return {
    'a tag': password(`!${secret('tag')}`),
    'a full tag': password(`!<${secret('full tag')}> x`),
    'an unknown kind of tag': password(`!e!${secret('kind of tag')} x`),
    'a block': password(`|${secret('block')}`),
    'a folded block': password(`>${secret('folded block')}`),
    'an alias': password(`*${secret('alias')}`),
    'an open quote': password(`"${secret('open quote')}`),
    'two values': password(`"a" ${secret('two values')}`),
    'a closing brace': password(`} ${secret('brace')}`),
    'an at sign': password(`@${secret('at sign')}`),
    'a colon': password(`${secret('colon')}: ${secret('after the colon')}`),
    'a directive': `%${secret('directive')}\n${password('x')}`,
    'a properties file': `sasl.password=${secret('properties file')}\n`,
    'a destination as text': `destinations: {main: ${secret('destination as text')}}\n`,
    'a section as text': `destinations: ${secret('section as text')}\n`,
    'broken JSON': `{"destinations": {"main": {"sasl": {"password": "${secret('broken JSON')}" oops`,
  };
}
