/** What is taken away and given back: permissions and credentials. All goes on without a restart, and nobody else waits (F15). */
import assert from 'node:assert/strict';
import { before, describe, test, type TestContext } from 'node:test';
import { Secret } from '../../src/base/secret.ts';
import { systemClock } from '../../src/base/clock.ts';
import { Delivery } from '../../src/delivery/index.ts';
import { createSender } from '../../src/kafka/index.ts';
import type { DestinationConfig } from '../../src/model/index.ts';
import { destinationAt, intake, message, Outcomes } from '../support/delivery.ts';
import { newTopic } from '../support/kafka.ts';
import { oracle } from '../support/oracle.ts';
import { longChaos } from '../support/scenario.ts';
import { secureKafka, users, type SecureKafka, type SecureListener } from '../support/secure-kafka.ts';
import { until } from '../support/until.ts';

const ROUNDS = longChaos ? 20 : 1;
let secure: SecureKafka;

before(async () => {
  secure = await secureKafka({
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

  constructor(t: TestContext, topic: string, destination: DestinationConfig) {
    this.topic = topic;
    this.#delivery = new Delivery({
      sender: createSender(destination, systemClock),
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
});
