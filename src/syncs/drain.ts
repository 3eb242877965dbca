/** The end of a server's work: what was taken is delivered as far as Kafka takes it. */
import type { Clock } from '../base/clock.ts';
import type { Syncs } from './syncs.ts';

const LOOK_EVERY_MS = 20;
/** Kafka takes nothing: waiting longer would only hold up whoever wants to restart. */
const STALLED_AFTER_MS = 1_500;
const SAFE_STALLED_AFTER_MS = 1_000;

/**
 * Takes nothing new and waits until everything pending has its outcome, at most `graceMs`, and at most 2 s in which
 * nothing moves. Then closes the destinations. Answers how many messages were left without an outcome and are not on the
 * disk: none of them was answered with success, so whoever sent them sends them again.
 */
export async function drainSyncs(syncs: Syncs, clock: Clock, graceMs: number): Promise<number> {
  const startedMs = clock.monotonic();
  let runsStopped = false;
  const stopping = syncs.drain().then(() => (runsStopped = true));
  let pending = pendingMessages(syncs);
  let movedMs = startedMs;
  let stalled = false;
  while (pending > 0 || !runsStopped) {
    const now = clock.monotonic();
    // Those that are on the disk too are waited for only so that they are not sent again after the next start.
    const unsafe = pending - syncs.handedMessages();
    stalled = pending > 0 && now - movedMs >= (unsafe > 0 ? STALLED_AFTER_MS : SAFE_STALLED_AFTER_MS);
    if (stalled || now - startedMs >= graceMs) break;
    await clock.sleep(LOOK_EVERY_MS);
    const left = pendingMessages(syncs);
    if (left !== pending) movedMs = clock.monotonic();
    pending = left;
  }
  const left = await syncs.close(0);
  if (runsStopped) return left;
  // Its checkpoint is saved as it went: a run that is cut off here is taken up as interrupted.
  const restMs = stalled ? 800 : Math.max(800, graceMs - (clock.monotonic() - startedMs));
  const waited = new AbortController();
  await Promise.race([stopping, clock.sleep(restMs, waited.signal)]);
  waited.abort();
  return left;
}

export function pendingMessages(syncs: Syncs): number {
  let messages = 0;
  for (const name of syncs.configuration.destinations.keys())
    messages += syncs.destinations.opened(name)?.delivery.pending.messages ?? 0;
  return messages;
}
