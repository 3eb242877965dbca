/** A destination from its fields as a file would have them, and deliveries to it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { createConfigReader } from '../../src/config/index.ts';
import { createSealer } from '../../src/config/seal.ts';
import { Delivery } from '../../src/delivery/index.ts';
import { createSender } from '../../src/kafka/index.ts';
import type { DestinationConfig, Held, JsonObject } from '../../src/model/index.ts';
import { intake, message, Outcomes } from './delivery.ts';

const folder = mkdtempSync(join(tmpdir(), 'headrace-written-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Throws with its problems. References read this process's environment and files. */
export function writtenDestination(body: JsonObject): DestinationConfig {
  const reader = createConfigReader({
    references: { variable: (name) => process.env[name], variableNames: () => [] },
    sealer: createSealer({ dataFolder: folder, secretKey: null }),
  });
  const { configuration, problems } = reader.check([{ kind: 'destination', name: 'main', body }]);
  const destination = configuration.destinations.get('main');
  if (destination === undefined) throw new Error(JSON.stringify(problems));
  return destination;
}

export function deliveryFor(destination: DestinationConfig): Delivery {
  const sender = createSender(destination, systemClock);
  return new Delivery({ sender, clock: systemClock, ...destination.producer });
}

/** Sends one message: null when it was delivered, else why it is held. The delivery is closed again. */
export async function sendOne(body: JsonObject, topic: string, text: string): Promise<Held | null> {
  const delivery = deliveryFor(writtenDestination(body));
  const outcomes = new Outcomes();
  delivery.accept(message(topic, { text }), outcomes, 0, intake);
  await outcomes.until(() => outcomes.byIndex.size > 0 || outcomes.holds.some((held) => held !== null));
  const held = outcomes.holds.find((one) => one !== null) ?? null;
  const delivered = outcomes.count('delivered') === 1;
  await delivery.close(0);
  return delivered ? null : held;
}
