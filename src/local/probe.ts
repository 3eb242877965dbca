/** Asks a broker, in Kafka's own protocol, which brokers it knows: the proof that it is ready. */
import { connect } from 'node:net';
import { systemClock } from '../base/clock.ts';
import { LOOPBACK } from './ports.ts';

const METADATA = 3;
const VERSION = 1;

/** Node ids of the live brokers that the broker on this loopback port tells; empty when it does not answer properly. */
export function liveBrokers(port: number, timeoutMs = 2000): Promise<number[]> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: LOOPBACK });
    let received = Buffer.alloc(0);
    const settle = (ids: number[]): void => {
      cancel();
      socket.destroy();
      resolve(ids);
    };
    const cancel = systemClock.after(timeoutMs, () => settle([]));
    socket.once('error', () => settle([]));
    socket.once('close', () => settle([]));
    socket.once('connect', () => socket.write(metadataRequest()));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 4) return;
      const size = received.readInt32BE(0);
      if (size < 8 || size > 1_000_000) settle([]);
      else if (received.length >= 4 + size) settle(brokerIds(received.subarray(8)));
    });
  });
}

/** Size, header (key, version, correlation id, client id) and an empty list of topics: brokers only. */
function metadataRequest(): Buffer {
  const clientId = Buffer.from('headrace-probe');
  const body = Buffer.alloc(4 + 2 + 2 + 4 + 2 + clientId.length + 4);
  body.writeInt32BE(body.length - 4, 0);
  body.writeInt16BE(METADATA, 4);
  body.writeInt16BE(VERSION, 6);
  body.writeInt32BE(1, 8);
  body.writeInt16BE(clientId.length, 12);
  clientId.copy(body, 14);
  return body;
}

/** The answer after its correlation id: a list of (node id, host, port, rack). */
function brokerIds(answer: Buffer): number[] {
  try {
    let at = 4;
    return Array.from({ length: answer.readInt32BE(0) }, () => {
      const id = answer.readInt32BE(at);
      at += 4;
      at += 2 + answer.readInt16BE(at); // host
      at += 4; // port
      at += 2 + Math.max(0, answer.readInt16BE(at)); // rack, -1 for null
      return id;
    });
  } catch {
    return [];
  }
}
