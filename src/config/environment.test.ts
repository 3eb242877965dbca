/** Settings of the environment. */
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { test } from 'node:test';
import type { HeadraceError } from '../model/index.ts';
import { readEnvironment } from './environment.ts';

test('reads every setting, and an empty variable as not set', () => {
  const environment = readEnvironment({
    HEADRACE_DATA: '/data',
    HEADRACE_HOST: '0.0.0.0',
    PORT: '9999',
    DATABASE_URL: 'postgres://u:p@h/d',
    KAFKA_BROKERS: 'a:1,b:2',
    HEADRACE_TOKEN: ' token ',
    HEADRACE_SECRET_KEY: 'key',
    HEADRACE_ALLOWED_ADDRESSES: '10.0.0.0/8, ::1',
    LOG_LEVEL: 'WARN',
    NO_COLOR: '1',
    CI: 'true',
  });
  const { databaseUrl, token, secretKey, references: _references, variables: _variables, ...plain } = environment;
  assert.deepEqual(plain, {
    dataFolder: '/data',
    host: '0.0.0.0',
    port: 9999,
    kafkaBrokers: 'a:1,b:2',
    allowedAddresses: ['10.0.0.0/8', '::1'],
    logLevel: 'warn',
    noColor: true,
    ci: true,
  });
  assert.deepEqual(
    [databaseUrl, token, secretKey].map((one) => one?.reveal()),
    ['postgres://u:p@h/d', 'token', 'key'],
  );

  const empty = readEnvironment({ PORT: '', DATABASE_URL: ' ', NO_COLOR: '', CI: 'false', LOG_LEVEL: '' });
  assert.deepEqual(
    [empty.port, empty.databaseUrl, empty.allowedAddresses, empty.noColor, empty.ci, empty.logLevel],
    [null, null, null, false, false, 'info'],
  );
});

test('refuses what it cannot read, by name', () => {
  for (const [name, value] of [
    ['PORT', 'http'],
    ['PORT', '70000'],
    ['LOG_LEVEL', 'loud'],
    ['HEADRACE_ALLOWED_ADDRESSES', '10.0.0.0/8,kafka.internal'],
  ] as const) {
    assert.throws(
      () => readEnvironment({ [name]: value }),
      (error: HeadraceError) => error.path === name && error.code === 'config_invalid' && error.remedy !== undefined,
    );
  }
});

test('references read variables, never what every object inherits', () => {
  const { references } = readEnvironment({ A: '1' });
  assert.equal(references.variable('A'), '1');
  assert.equal(references.variable('constructor'), undefined);
  assert.equal(references.variable('toString'), undefined);
});

test('Promise 8: a printed environment shows none of its secrets', () => {
  const {
    variables: _handedOn,
    references: _read,
    ...settings
  } = readEnvironment({
    DATABASE_URL: 'canary',
    HEADRACE_TOKEN: 'canary',
    HEADRACE_SECRET_KEY: 'canary',
  });
  assert.doesNotMatch(inspect(settings, { depth: 9, showHidden: true }) + JSON.stringify(settings), /canary/);
});
