/** What is taken away and given back: permissions, credentials, certificates, addresses. All goes on without a restart, and nobody else waits (F15). */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { Secret } from '../../src/base/secret.ts';
import { systemClock } from '../../src/base/clock.ts';
import { Delivery } from '../../src/delivery/index.ts';
import { createSender } from '../../src/kafka/index.ts';
import type { DestinationConfig } from '../../src/model/index.ts';
import type { Resolver } from '../../src/kafka/wire/addresses.ts';
import { issue, YEAR_MS, type Certificate } from '../support/certificates.ts';
import { destinationAt, intake, message, Outcomes } from '../support/delivery.ts';
import { newTopic } from '../support/kafka.ts';
import { oracle } from '../support/oracle.ts';
import { longChaos } from '../support/scenario.ts';
import { keyStore, secureKafka, users, type SecureKafka, type SecureListener } from '../support/secure-kafka.ts';
import { until } from '../support/until.ts';

const ROUNDS = longChaos ? 20 : 1;
const NAME = 'kafka.test';
let secure: SecureKafka;
const folder = mkdtempSync(join(tmpdir(), 'headrace-recovery-'));
const authority = issue({ commonName: 'authority of recovery', authority: true });
after(() => rmSync(folder, { recursive: true }));

function server(dates: { notBefore?: Date; notAfter?: Date } = {}): Certificate {
  return issue({ commonName: 'server', altNames: ['127.0.0.1'], issuer: authority, ...dates });
}

const expired = (): Certificate =>
  server({ notBefore: new Date(Date.now() - 2 * YEAR_MS), notAfter: new Date(Date.now() - YEAR_MS) });

before(async () => {
  secure = await secureKafka({
    listeners: [
      { name: 'ROTTEN', protocol: 'SSL', properties: keyStore(folder, 'rotten', expired()) },
      { name: 'NAMED', protocol: 'PLAINTEXT', advertisedHost: NAME },
    ],
    properties: {
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'allow.everyone.if.no.acl.found': 'true',
      'super.users': 'User:ANONYMOUS',
    },
  });
});

/** Messages one after the other, each with its number as its value. */
class Load {
  readonly outcomes = new Outcomes();
  readonly topic: string;
  readonly #delivery: Delivery;
  count = 0;

  constructor(t: TestContext, topic: string, destination: DestinationConfig, resolver?: Resolver) {
    this.topic = topic;
    this.#delivery = new Delivery({
      sender: createSender(destination, systemClock, resolver),
      clock: systemClock,
      ...destination.producer,
    });
    t.after(() => this.#delivery.close(0));
  }

  hand(count = 1, topic = this.topic): void {
    for (let i = 0; i < count; i++) {
      const index = this.count++;
      this.#delivery.accept(message(topic, { text: `${index}` }), this.outcomes, index, intake);
    }
  }

  get held(): string | null {
    return this.outcomes.holds.at(-1)?.code ?? null;
  }
}

function destination(listener: SecureListener, username: string, password: Secret): DestinationConfig {
  return {
    ...destinationAt(secure.bootstrapOf(listener), { metadataMaxAgeMs: 1_000 }),
    protocol: 'sasl_plaintext',
    sasl: { mechanism: 'scram-sha-256', username: new Secret(username), password },
  } as DestinationConfig;
}

async function values(topic: string): Promise<string[]> {
  return (await oracle(secure.kafka.bootstrap).readAll(topic)).map(({ value }) => String(value));
}

const upTo = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));

describe('what is taken away and given back', { timeout: 120_000 + ROUNDS * 60_000 }, () => {
  for (const operation of ['WRITE', 'DESCRIBE'] as const)
    test(`the permission to ${operation}: parked meanwhile, other topics go on, then all in order and once`, async (t) => {
      const admin = oracle(secure.kafka.bootstrap);
      const topic = await newTopic(secure.kafka.bootstrap, 'recovery-acl');
      const other = await newTopic(secure.kafka.bootstrap, 'recovery-other');
      const at = destination('SASL', users.app.username, new Secret(users.app.password));
      const load = new Load(t, topic, at);
      const bystander = new Load(t, other, at);
      for (let round = 0; round < ROUNDS; round++) {
        load.hand(20);
        await load.outcomes.all(load.count);
        await admin.denyTopic(topic, `User:${users.app.username}`, operation, true);
        load.hand(5);
        await until('parked', () => load.held === 'topic_not_authorized' || (load.hand(), false), { everyMs: 50 });
        for (let i = 0; i < 10; i++) {
          bystander.hand(3);
          const startedMs = performance.now();
          await bystander.outcomes.all(bystander.count);
          assert.ok(performance.now() - startedMs < 5_000, 'nobody else waits');
        }
        await admin.denyTopic(topic, `User:${users.app.username}`, operation, false);
        await load.outcomes.all(load.count);
        assert.equal(load.held, null, 'and says that it goes on');
      }
      assert.deepEqual(await values(topic), upTo(load.count));
      assert.equal(bystander.outcomes.count('delivered'), bystander.count);
    });

  test('a password that is changed: refused meanwhile, others go on, and the new one counts without a restart', async (t) => {
    const topic = await newTopic(secure.kafka.bootstrap, 'recovery-password');
    const other = await newTopic(secure.kafka.bootstrap, 'recovery-password-other');
    let password: string = users.rotating.password;
    const load = new Load(
      t,
      topic,
      destination('REAUTH', users.rotating.username, new Secret(password, () => password)),
    );
    const bystander = new Load(t, other, destination('REAUTH', users.app.username, new Secret(users.app.password)));
    for (let round = 0; round < ROUNDS; round++) {
      load.hand(20);
      await load.outcomes.all(load.count);
      const next = `rotated-${round}`;
      await secure.setScramPassword(users.rotating.username, next);
      // A login counts for two seconds there.
      await until('refused', () => load.held === 'authentication_failed' || (load.hand(), false), { everyMs: 50 });
      assert.equal(load.outcomes.holds.at(-1)?.action, 'stop');
      bystander.hand(10);
      await bystander.outcomes.all(bystander.count);
      password = next;
      const startedMs = performance.now();
      await load.outcomes.all(load.count);
      assert.ok(performance.now() - startedMs < 30_000, 'asked again within fifteen seconds');
    }
    assert.deepEqual(await values(topic), upTo(load.count));
  });

  test('an expired certificate of the broker: held with the reason, and a good one counts without a restart', async (t) => {
    const topic = await newTopic(secure.kafka.bootstrap, 'recovery-expired');
    const load = new Load(t, topic, {
      ...destinationAt(secure.kafka.bootstrapOf('ROTTEN'), { metadataMaxAgeMs: 1_000 }),
      protocol: 'ssl',
      tls: { ca: new Secret(authority.pem), cert: null, key: null, keyPassword: null, serverName: null, verify: true },
    } as DestinationConfig);
    for (let round = 0; round < ROUNDS; round++) {
      if (round > 0) {
        keyStore(folder, 'rotten', expired());
        await secure.kafka.nodes[0]!.restart();
      }
      load.hand(20);
      await until('refused', () => load.held === 'tls_failed', { everyMs: 50, deadlineMs: 60_000 });
      assert.match(load.outcomes.holds.at(-1)!.reason, /expired/);
      keyStore(folder, 'rotten', server());
      await secure.kafka.nodes[0]!.restart();
      await until('all have their outcome', () => load.outcomes.byIndex.size === load.count, {
        deadlineMs: 60_000,
      }).catch((error: unknown) => assert.fail(`${String(error)}: ${JSON.stringify(load.outcomes.holds)}`));
      assert.equal(load.outcomes.count('delivered'), load.count);
    }
    assert.deepEqual(await values(topic), upTo(load.count));
  });

  test('a broker that moves to another address under its name is found there', async (t) => {
    const topic = await newTopic(secure.kafka.bootstrap, 'recovery-moved');
    const port = Number(secure.kafka.bootstrapOf('NAMED').split(':').at(-1));
    let address = '127.0.0.2';
    let way = await forward(address, port);
    t.after(() => way.close());
    const resolver: Resolver = {
      addressesOf: (host) => Promise.resolve([host === NAME ? address : host]),
      nameOf: (host) => Promise.resolve(host),
    };
    const at = { ...destinationAt(`${NAME}:${port}`, { metadataMaxAgeMs: 1_000 }) };
    const load = new Load(t, topic, at, resolver);
    for (let round = 0; round < ROUNDS; round++) {
      load.hand(20);
      await load.outcomes.all(load.count);
      await way.close();
      load.hand(20);
      address = address === '127.0.0.2' ? '127.0.0.3' : '127.0.0.2';
      way = await forward(address, port);
      await until('all have their outcome', () => load.outcomes.byIndex.size === load.count, { deadlineMs: 60_000 });
      assert.ok(way.connections() > 0, 'by the new address');
    }
    assert.equal(load.outcomes.count('delivered'), load.count);
    assert.deepEqual(await values(topic), upTo(load.count));
  });
});

/** The broker at another address of this machine, as long as it is open. */
async function forward(address: string, port: number): Promise<{ close(): Promise<void>; connections(): number }> {
  const open = new Set<Socket>();
  let count = 0;
  const listener: Server = createServer((socket) => {
    count++;
    const onwards = connect(port, '127.0.0.1');
    for (const [one, other] of [
      [socket, onwards],
      [onwards, socket],
    ] as const) {
      open.add(one);
      one.on('error', () => other.destroy()).on('close', () => (open.delete(one), other.destroy()));
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject).listen(port, address, resolve);
  });
  return {
    connections: () => count,
    async close() {
      for (const socket of open) socket.destroy();
      if (listener.listening) await new Promise((resolve) => listener.close(resolve));
    },
  };
}
