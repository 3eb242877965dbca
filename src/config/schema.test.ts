/** The JSON Schema, used as an editor uses it: by a validator that knows nothing of Headrace. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fastify from 'fastify';
import { configurationSchema } from './schema.ts';

// The server of the API validates by JSON Schema, draft 7.
const server = fastify({
  ajv: { customOptions: { coerceTypes: false, removeAdditional: false, strict: false } },
});
before(async () => {
  server.post('/', { schema: { body: configurationSchema() } }, () => 'sound');
  await server.ready();
});
after(() => server.close());

async function accepts(value: unknown): Promise<boolean> {
  const { statusCode } = await server.inject({ method: 'POST', url: '/', payload: value as object });
  assert.ok(statusCode === 200 || statusCode === 400, String(statusCode));
  return statusCode === 200;
}

const destinations = { main: { brokers: 'localhost' } };

test('takes what is sound', async () => {
  const sound = [
    {},
    { destinations, sources: null },
    {
      destinations: {
        a: { host: 'x', port: '9092', enabled: '${ON}', producer: { linger_ms: '${LINGER}', acks: 'all' } },
      },
    },
    { destinations: { a: { brokers: 'x', sasl: { mechanism: 'aws-msk-iam' } }, b: { brokers: 'x', spool: true } } },
    {
      destinations: {
        a: {
          brokers: 'x',
          tls: { verify: '${V}' },
          producer: { acks: '${A}', linger_ms: ' 5 ' },
          topics: { create: '${C}' },
        },
      },
    },
    { sources: { a: { type: 'events', write_key: '${KEY}' }, b: { type: 'files', path: 'x' } } },
    {
      syncs: {
        a: { source: 'x', destination: 'y', types: ['track'], message: { topic: { '@template': '{{a}}' }, key: null } },
      },
    },
    {
      syncs: {
        a: {
          source: 'x',
          destination: 'y',
          read: { file: 'a.csv', types: { id: 'text' } },
          message: { columns: [{ from: 'a' }] },
        },
      },
    },
  ];
  for (const one of sound) assert.equal(await accepts(one), true, JSON.stringify(one));
});

test('refuses what the checks refuse', async () => {
  const wrong = [
    { destination: destinations },
    { destinations: { a: { brokrs: 'x' } } },
    { destinations: { a: { brokers: 'x', producer: { batch_bytes: 1 } } } },
    { destinations: { a: { brokers: 'x', producer: { linger_ms: 'five' } } } },
    { destinations: { a: { brokers: 'x', protocol: 'https' } } },
    { destinations: { a: { brokers: 'x', sasl: {} } } },
    { sources: { a: { type: 'postgres' } } },
    { sources: { a: { type: 'events' } } },
    { sources: { a: { type: 'files', path: 'x', write_key: 'y' } } },
    { syncs: { a: { source: 'x', destination: 'y', trigger: ['x'] } } },
    { syncs: { a: { source: 'x', destination: 'y', types: [] } } },
    { syncs: { a: { destination: 'y' } } },
  ];
  for (const one of wrong) assert.equal(await accepts(one), false, JSON.stringify(one));
});

test('describes every field', () => {
  const missing: string[] = [];
  const look = (schema: unknown, path: string): void => {
    if (typeof schema !== 'object' || schema === null) return;
    const { properties } = schema as { properties?: Record<string, { description?: string }> };
    for (const [name, field] of Object.entries(properties ?? {})) {
      if ((field.description ?? '') === '') missing.push(`${path}.${name}`);
    }
    for (const [key, value] of Object.entries(schema)) look(value, `${path}.${key}`);
  };
  look(configurationSchema(), '');
  assert.deepEqual(missing, []);
});
