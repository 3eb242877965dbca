/** What one message may weigh: judged before it is sent as the request and the broker will judge it (P6). */
import type { Excess, MessageSizes } from '../../delivery/ports.ts';
import type { DestinationConfig, Message } from '../../model/index.ts';
import { besideBatchBytes, envelopeBytes } from '../wire/produce.ts';
import { singleBatchBytes } from '../wire/record-batch.ts';

/** Bytes of batches that fit into one request beside everything else in it. */
export function requestLimitBytes({ producer, clientId }: DestinationConfig, topic: string): number {
  return producer.maxRequestBytes - envelopeBytes(clientId) - besideBatchBytes(topic);
}

/**
 * As Java's client, against `max_request_size` a message counts uncompressed, whatever the compression: what may be sent
 * does not depend on how well it packs. As the broker, against `max.message.bytes` it counts as packed, in a batch of its own.
 */
export function messageSizes(
  destination: DestinationConfig,
  topic: string,
  maxMessageBytes: number | null,
): MessageSizes {
  const { compression, compressionLevel, maxRequestBytes } = destination.producer;
  const requestBytes = requestLimitBytes(destination, topic);
  const plainBytes = (message: Message): number => singleBatchBytes(message, 'none', null);
  const excess = (message: Message): Excess | null => {
    const plain = plainBytes(message);
    if (plain > requestBytes) {
      const limit = `a request takes ${requestBytes} of it (max_request_size is ${maxRequestBytes})`;
      return { bytes: plain, limitBytes: requestBytes, limit };
    }
    if (maxMessageBytes === null || plain <= maxMessageBytes) return null;
    const packed = compression === 'none' ? plain : singleBatchBytes(message, compression, compressionLevel);
    if (packed <= maxMessageBytes) return null;
    const how = compression === 'none' ? '' : ` with ${compression}`;
    const limit = `topic ${topic} takes ${maxMessageBytes}${how} (max.message.bytes)`;
    return { bytes: packed, limitBytes: maxMessageBytes, limit };
  };
  return { safeBytes: Math.min(requestBytes, maxMessageBytes ?? Infinity), excess, plainBytes };
}
