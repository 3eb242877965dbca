/** Passwords and certificates that change in their files while messages flow: nobody restarts Headrace. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Delivery } from '../../src/delivery/index.ts';
import type { JsonObject } from '../../src/model/index.ts';
import { intake, message, Outcomes } from '../support/delivery.ts';
import { newTopic } from '../support/kafka.ts';
import { oracle } from '../support/oracle.ts';
import { secureKafka, users, type SecureKafka } from '../support/secure-kafka.ts';
import { until } from '../support/until.ts';
import { deliveryFor, writtenDestination } from '../support/written-destination.ts';

const folder = mkdtempSync(join(tmpdir(), 'headrace-rotation-'));
after(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return `\${file:${join(folder, name)}}`;
};

let secure: SecureKafka;
before(async () => {
  secure = await secureKafka();
});

/** One delivery, numbered messages through it. */
class Flow {
  readonly outcomes = new Outcomes();
  readonly topic: string;
  readonly #delivery: Delivery;
  #sent = 0;

  constructor(body: JsonObject, topic: string) {
    this.topic = topic;
    this.#delivery = deliveryFor(writtenDestination({ producer: { request_timeout_ms: 10_000 }, ...body }));
  }

  /** Hands over one more; resolves with its number. */
  send(): number {
    const number = this.#sent++;
    this.#delivery.accept(message(this.topic, { text: String(number) }), this.outcomes, number, intake);
    return number;
  }

  async delivered(number: number, deadlineMs = 60_000): Promise<void> {
    const state = await until(`message ${number} has its outcome`, () => this.outcomes.byIndex.get(number)?.state, {
      deadlineMs,
    });
    assert.equal(state, 'delivered');
  }

  /** Sends one after the other for so long; every one is delivered. */
  async during(ms: number): Promise<number> {
    const end = performance.now() + ms;
    let count = 0;
    for (; performance.now() < end; count++) await this.delivered(this.send());
    return count;
  }

  /** All that were sent are in the topic, once and in their order. */
  async close(): Promise<void> {
    assert.equal(await this.#delivery.close(30_000), 0);
    const read = await oracle(secure.kafka.bootstrap).readAll(this.topic);
    assert.deepEqual(
      read.map(({ value }) => Number(String(value))),
      Array.from({ length: this.#sent }, (_, number) => number),
    );
  }
}

const login = (mechanism: string, username: string, password: string): JsonObject => ({
  brokers: secure.bootstrapOf('REAUTH'),
  protocol: 'sasl_plaintext',
  sasl: { mechanism, username, password },
});

for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512']) {
  test(`logins by ${mechanism} that count for two seconds are renewed under load`, async () => {
    const topic = await newTopic(secure.kafka.bootstrap, `reauth-${mechanism}`);
    const flow = new Flow(login(mechanism, users.app.username, users.app.password), topic);
    // Four logins end in this time.
    assert.ok((await flow.during(8_000)) > 5);
    await flow.close();
    assert.deepEqual(
      flow.outcomes.holds.filter((held) => held !== null && held.code === 'authentication_failed'),
      [],
    );
  });
}

test('a password that changes at the brokers counts once its file has it', async () => {
  const topic = await newTopic(secure.kafka.bootstrap, 'password');
  const { username, password } = users.rotating;
  const flow = new Flow(login('scram-sha-512', username, file('password', password)), topic);
  await flow.delivered(flow.send());
  await secure.setScramPassword(username, 'rotating-2');
  // Whoever logs in anew with the password of before is refused: messages wait, none is lost.
  await until(
    'the login is refused',
    () => {
      flow.send();
      return flow.outcomes.holds.some((held) => held?.code === 'authentication_failed');
    },
    { everyMs: 100 },
  );
  file('password', 'rotating-2');
  await flow.delivered(flow.send());
  await flow.close();
});

test('a certificate that changes in its file counts at the next connection', async () => {
  const topic = await newTopic(secure.kafka.bootstrap, 'certificate');
  const { authority, clientRsa, clientOfStranger, stranger } = secure.certificates;
  const tls = { ca: authority.pem, cert: file('cert', clientRsa.chain), key: file('key', clientRsa.key) };
  const flow = new Flow({ brokers: secure.bootstrapOf('MUTUAL'), tls }, topic);
  await flow.delivered(flow.send());
  // From its next start the broker takes clients of the other authority alone.
  writeFileSync(secure.trustFile, stranger.pem);
  file('cert', clientOfStranger.chain);
  file('key', clientOfStranger.key);
  await secure.kafka.nodes[0]!.restart();
  await flow.delivered(flow.send(), 120_000);
  await flow.close();
});
