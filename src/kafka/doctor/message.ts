/** The last step: one message to the test topic, sent as every other would be. */
import { isoTime, type Clock } from '../../base/clock.ts';
import type { DestinationConfig } from '../../model/index.ts';
import { createSender } from '../producer/sender.ts';
import { StepFailure } from './report.ts';

/** Where it was written. Throws StepFailure. */
export async function sendTestMessage(destination: DestinationConfig, topic: string, clock: Clock): Promise<string> {
  const sender = createSender(destination, clock);
  try {
    const facts = await sender.topic(topic, true);
    if ('held' in facts) throw refused(topic, facts.held);
    const timestampMs = clock.now();
    const value = Buffer.from(JSON.stringify({ from: 'headrace check', at: isoTime(timestampMs) }));
    const key = Buffer.from('headrace-check');
    const message = { topic, partition: 0, partitionKey: key, key, value, headers: [], timestampMs };
    const channel = sender.openChannel(topic, 0);
    const answer = await sender.send({ topic, partition: 0, messages: [message] }, channel);
    if (answer.state === 'held') throw refused(topic, answer.held);
    if (answer.state === 'rejected')
      throw refused(topic, {
        reason: answer.reason,
        remedy:
          answer.code === 'too_large'
            ? `Raise max.message.bytes of the topic ${topic}: ${value.length} bytes do not fit.`
            : 'Name another test_topic, or change the settings of this one.',
      });
    if (answer.state === 'retry')
      throw refused(topic, { reason: answer.reason, remedy: 'Look into the log of the brokers.' });
    return `written to ${topic}, partition 0${destination.producer.acks === 0 ? ', not acknowledged' : ''}`;
  } finally {
    await sender.close();
  }
}

function refused(topic: string, { reason, remedy }: { reason: string; remedy: string | null }): StepFailure {
  return new StepFailure(`the test message for ${topic} was not taken: ${reason}`, remedy ?? 'See the reason.');
}
