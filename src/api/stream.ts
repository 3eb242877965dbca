/** Answers that go on: JSON lines, one item each, until the work ends or the other side hangs up. */
import type { FastifyReply } from 'fastify';
import { systemClock } from '../base/clock.ts';
import { asHeadraceError } from './failure.ts';
import { problemOf } from './contract/problem.ts';

/** An empty line this often shows both sides that the other is still there. */
const HEARTBEAT_MS = 10_000;

/**
 * Sends the items of `produce` as they come; slow readers slow it down. `produce` gets a signal that aborts when the other
 * side hangs up. An error before the first item is thrown (and answered with its status), a later one ends the lines.
 */
export async function sendLines<T>(
  reply: FastifyReply,
  produce: (signal: AbortSignal) => AsyncIterable<T>,
): Promise<void> {
  const hangUp = new AbortController();
  const { raw } = reply;
  raw.once('close', () => hangUp.abort());
  raw.on('error', () => hangUp.abort());
  const items = produce(hangUp.signal)[Symbol.asyncIterator]();
  const first = items.next();
  // What fails at once is answered with a status; what takes longer has begun.
  const enough = new AbortController();
  const early = await Promise.race([first, systemClock.sleep(1000, enough.signal).then(() => null)]);
  enough.abort();
  reply.hijack();
  raw.writeHead(200, {
    'content-type': 'application/x-ndjson',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  raw.flushHeaders();
  const stopBeating = beat(() => void raw.write('\n'));
  try {
    for (let item = early ?? (await first); item.done !== true; item = await items.next()) {
      if (hangUp.signal.aborted) break;
      if (!raw.write(`${JSON.stringify(item.value)}\n`)) await drained(raw, hangUp.signal);
    }
  } catch (error) {
    if (!hangUp.signal.aborted) raw.write(`${JSON.stringify({ problem: problemOf(asHeadraceError(error)) })}\n`);
  } finally {
    stopBeating();
    hangUp.abort();
    raw.end();
    await items.return?.();
  }
}

function beat(tell: () => void): () => void {
  let cancel: () => void = () => undefined;
  const again = (): void => {
    cancel = systemClock.after(
      HEARTBEAT_MS,
      () => {
        tell();
        again();
      },
      { unref: true },
    );
  };
  again();
  return () => cancel();
}

function drained(raw: FastifyReply['raw'], signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      raw.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    raw.once('drain', done);
    signal.addEventListener('abort', done, { once: true });
  });
}
