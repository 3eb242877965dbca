/** Every error has one class, and the ones that could lose messages have the right one. */
import { AuthenticationError, NetworkError, protocolErrors, TimeoutError } from '@platformatic/kafka';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { errorCodes, HeadraceError } from '../model/index.ts';
import { classifyCode, classifyError } from './classify.ts';
import { clientErrors } from './client-errors.ts';
import { kafkaErrors } from './error-table.ts';

describe('the table of errors', () => {
  test('has every code that the client knows, under its number, and nothing else of that number', () => {
    for (const [name, { code }] of Object.entries(protocolErrors)) {
      if (code === 0) continue;
      assert.equal(kafkaErrors.get(code)?.name, name, `${name} (${code})`);
    }
    const numbers = [...kafkaErrors.keys()];
    assert.deepEqual(
      numbers,
      Array.from({ length: 135 }, (_, index) => index - 1).filter((number) => number !== 0),
    );
    assert.equal(new Set([...kafkaErrors.values()].map(({ name }) => name)).size, numbers.length);
  });

  test('never gives up what Kafka says passes by itself', () => {
    for (const [name, { code, canRetry }] of Object.entries(protocolErrors)) {
      const action = kafkaErrors.get(code)?.action;
      if (canRetry) assert.ok(action === 'retry' || (name === 'UNKNOWN_TOPIC_OR_PARTITION' && action === 'park'), name);
    }
  });

  test('says for each what happened and what to do', () => {
    for (const row of [...kafkaErrors.values(), ...clientErrors]) {
      assert.ok(row.reason.length > 10 && !row.reason.endsWith('.'), row.name);
      assert.ok(row.remedy.endsWith('.'), row.name);
      assert.ok(row.code in errorCodes, row.name);
    }
  });

  test('rejects for the message alone', () => {
    const rejecting = [...kafkaErrors.values()].filter(({ action }) => action === 'reject').map(({ name }) => name);
    assert.deepEqual(rejecting, ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_TIMESTAMP', 'INVALID_RECORD']);
  });
});

describe('classify', () => {
  test('a code that nobody knows stops, and names its number', () => {
    const { action, code, reason } = classifyCode(4711, 'from the future');
    assert.deepEqual([action, code], ['stop', 'kafka_unexpected']);
    assert.match(reason, /error 4711: from the future/);
  });

  const system = (code: string): Error => Object.assign(new Error(`connect ${code} 10.0.0.1:9092`), { code });
  const login = (cause: Error): Error =>
    new NetworkError('failed', { cause: new AuthenticationError('SASL authentication failed.', { cause }) });
  const refusedLogin = Object.assign(
    new AggregateError([Object.assign(new Error('SASL'), { apiCode: 58 })], 'answer'),
    {
      code: 'PLT_KFK_RESPONSE',
    },
  );

  const cases: [string, unknown, string, string][] = [
    ['connection refused', new NetworkError('failed', { cause: system('ECONNREFUSED') }), 'retry', 'kafka_unreachable'],
    ['name unknown', system('ENOTFOUND'), 'retry', 'kafka_unreachable'],
    ['a timeout', new TimeoutError('Request timed out'), 'retry', 'kafka_unreachable'],
    ['anything else', new Error('no idea'), 'retry', 'kafka_unreachable'],
    ['no error at all', 'text', 'retry', 'kafka_unreachable'],
    ['an expired certificate', new NetworkError('x', { cause: system('CERT_HAS_EXPIRED') }), 'stop', 'tls_failed'],
    ['a wrong name', system('ERR_TLS_CERT_ALTNAME_INVALID'), 'stop', 'tls_failed'],
    ['an unknown authority', system('SELF_SIGNED_CERT_IN_CHAIN'), 'stop', 'tls_failed'],
    ['a TLS alert', system('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'), 'stop', 'tls_failed'],
    ['a refused login', login(refusedLogin), 'stop', 'authentication_failed'],
    ['a login broken by the network', login(system('ECONNRESET')), 'retry', 'kafka_unreachable'],
    ['a login that cannot be made', login(new Error('bad signature of the server')), 'stop', 'authentication_failed'],
    [
      'a token that cannot be had',
      login(new HeadraceError('authentication_failed', 'No token.')),
      'stop',
      'authentication_failed',
    ],
    ['a token server that is away', new HeadraceError('kafka_unreachable', 'Away.'), 'retry', 'kafka_unreachable'],
    [
      'one broker away, one that refuses',
      new AggregateError([login(refusedLogin), system('ECONNREFUSED')]),
      'stop',
      'authentication_failed',
    ],
    [
      'all brokers away',
      new AggregateError([system('ECONNREFUSED'), system('ETIMEDOUT')]),
      'retry',
      'kafka_unreachable',
    ],
  ];
  for (const [name, error, action, code] of cases)
    test(name, () => {
      const verdict = classifyError(error);
      assert.deepEqual([verdict.action, verdict.code], [action, code], verdict.reason);
      assert.ok(verdict.remedy.length > 0);
    });
});
