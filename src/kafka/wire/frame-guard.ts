/** Bounds what a peer may make us hold: the client trusts the four bytes that say how long an answer is. */
import type { Socket } from 'node:net';

/** Destroys the socket when an answer claims to be longer than `maxFrameBytes`, or of negative length. */
export function guardFrames(socket: Socket, maxFrameBytes: number): void {
  let head = Buffer.alloc(0);
  let restBytes = 0;
  socket.prependListener('data', (chunk: Buffer) => {
    let at = 0;
    while (at < chunk.length) {
      if (restBytes > 0) {
        const step = Math.min(restBytes, chunk.length - at);
        restBytes -= step;
        at += step;
        continue;
      }
      const wanted = Math.min(4 - head.length, chunk.length - at);
      head = Buffer.concat([head, chunk.subarray(at, at + wanted)]);
      at += wanted;
      if (head.length < 4) return;
      restBytes = head.readInt32BE(0);
      head = Buffer.alloc(0);
      if (restBytes >= 0 && restBytes <= maxFrameBytes) continue;
      socket.destroy(new Error('the answer is no answer of a Kafka broker'));
      return;
    }
  });
}
