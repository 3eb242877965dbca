/** Verifies a token of AWS MSK IAM with nothing but Node's own crypto: structure, query, signature. */
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';

export interface ExpectedToken {
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** The clock it was made by. */
  readonly nowMs: number;
}

/** Fails unless the token is what Amazon MSK takes, byte for byte. */
export function verifyIamToken(token: string, expected: ExpectedToken): void {
  assert.match(token, /^[A-Za-z0-9_-]+$/, 'base64url without padding');
  const text = Buffer.from(token, 'base64url').toString('utf8');
  assert.equal(Buffer.from(text).toString('base64url'), token, 'the one encoding of the text');
  const host = `kafka.${expected.region}.amazonaws.com`;
  assert.ok(text.startsWith(`https://${host}/?`), text.slice(0, 80));
  const pairs = text
    .slice(`https://${host}/?`.length)
    .split('&')
    .map((pair) => pair.split('=') as [string, string]);
  const query = Object.fromEntries(pairs);
  assert.equal(Object.keys(query).length, pairs.length, 'each name once');
  const names = [
    'Action',
    'User-Agent',
    'X-Amz-Algorithm',
    'X-Amz-Credential',
    'X-Amz-Date',
    'X-Amz-Expires',
    ...(expected.sessionToken === undefined ? [] : ['X-Amz-Security-Token']),
    'X-Amz-Signature',
    'X-Amz-SignedHeaders',
  ];
  assert.deepEqual(Object.keys(query).sort(), names);
  assert.equal(query['Action'], 'kafka-cluster%3AConnect');
  assert.equal(query['X-Amz-Algorithm'], 'AWS4-HMAC-SHA256');
  assert.equal(query['X-Amz-Expires'], '900');
  assert.equal(query['X-Amz-SignedHeaders'], 'host');
  assert.match(decodeURIComponent(query['User-Agent']!), /^aws-msk-iam-sasl-signer-js\/\d+\.\d+\.\d+$/);
  if (expected.sessionToken !== undefined) assert.equal(query['X-Amz-Security-Token'], encoded(expected.sessionToken));
  const time = query['X-Amz-Date']!;
  const date = time.slice(0, 8);
  const iso = time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z');
  assert.ok(Math.abs(Date.parse(iso) - expected.nowMs) < 60_000, `made at ${time}`);
  const scope = `${date}/${expected.region}/kafka-cluster/aws4_request`;
  assert.equal(query['X-Amz-Credential'], encoded(`${expected.accessKeyId}/${scope}`));
  const signed = pairs
    .filter(([name]) => name !== 'X-Amz-Signature' && name !== 'User-Agent')
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join('&');
  const request = ['GET', '/', signed, `host:${host}`, '', 'host', sha256('')].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(request)].join('\n');
  const key = [date, expected.region, 'kafka-cluster', 'aws4_request'].reduce<Buffer>(
    (last, part) => createHmac('sha256', last).update(part).digest(),
    Buffer.from(`AWS4${expected.secretAccessKey}`),
  );
  assert.equal(query['X-Amz-Signature'], createHmac('sha256', key).update(toSign).digest('hex'));
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
