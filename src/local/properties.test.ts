/** The broker's files: what clients and brokers are told, and text that Java reads as Latin-1. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertiesText, serverProperties, type NodePorts } from './properties.ts';

const node = (id: number): NodePorts => ({
  id,
  port: 20_000 + id,
  controllerPort: 21_000 + id,
  listenerPorts: { SECURE: 22_000 + id },
});

test('brokers listen on loopback only, each with its own ports, and know all controllers', () => {
  const nodes = [node(1), node(2), node(3)];
  const properties = serverProperties(node(2), nodes, [], {});
  assert.equal(properties['listeners'], 'PLAINTEXT://127.0.0.1:20002,CONTROLLER://127.0.0.1:21002');
  assert.equal(properties['advertised.listeners'], 'PLAINTEXT://127.0.0.1:20002');
  assert.equal(properties['controller.quorum.voters'], '1@127.0.0.1:21001,2@127.0.0.1:21002,3@127.0.0.1:21003');
  assert.equal(properties['offsets.topic.replication.factor'], '3');
  assert.equal(properties['min.insync.replicas'], '2');
});

test('a further listener has its protocol, its advertised host and its properties under its own prefix', () => {
  const listener = {
    name: 'SECURE',
    protocol: 'SASL_SSL',
    advertisedHost: 'localhost',
    properties: { 'ssl.keystore.location': '/k' },
  } as const;
  const properties = serverProperties(node(1), [node(1)], [listener], {});
  assert.match(properties['listeners'] ?? '', /,SECURE:\/\/127\.0\.0\.1:22001$/);
  assert.equal(properties['advertised.listeners'], 'PLAINTEXT://127.0.0.1:20001,SECURE://localhost:22001');
  assert.match(properties['listener.security.protocol.map'] ?? '', /,SECURE:SASL_SSL$/);
  assert.equal(properties['listener.name.secure.ssl.keystore.location'], '/k');
});

test("the caller's properties win", () => {
  const properties = serverProperties(node(1), [node(1)], [], {
    'num.partitions': '7',
    'auto.create.topics.enable': 'true',
  });
  assert.deepEqual([properties['num.partitions'], properties['auto.create.topics.enable']], ['7', 'true']);
});

test('a properties file keeps backslashes, line ends and letters beyond Latin-1', () => {
  assert.equal(
    propertiesText({ a: 'C:\\x', b: 'two\nlines', c: 'ключ' }),
    'a=C:\\\\x\nb=two\\nlines\nc=\\u043a\\u043b\\u044e\\u0447\n',
  );
});
