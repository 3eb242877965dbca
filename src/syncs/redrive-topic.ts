/**
 * Sends the dead letters of a sync that lie in a topic again, partition by partition, up to the ends as they are when it
 * begins: what is rejected again is a new letter behind them, and waits for the next time.
 *
 * Promise 2: a position is saved only when all letters below it have their outcome, and those that were rejected again are
 * kept as new letters. A kill in between sends some once more, with the same `headrace.redriven` (P45).
 */
import type { DeadLetterSink } from './ports.ts';
import { PAGE, redrivePage, type Redriven, type RedriveTools } from './redrive.ts';
import { lettersIn, openLetters, SEND_PATIENCE_MS, type TopicLetter, type TopicLetterTools } from './topic-letters.ts';

export interface TopicRedriveTools extends TopicLetterTools {
  readonly redrive: RedriveTools;
  /** Where what is rejected again is kept. */
  readonly sink: DeadLetterSink;
}

type Sum = { -readonly [K in keyof Redriven]: Redriven[K] };

/** Throws HeadraceError. */
export async function redriveTopic(tools: TopicRedriveTools): Promise<Redriven> {
  const { store, place } = tools;
  const { reader, extent, toCome, notes } = await openLetters(tools, SEND_PATIENCE_MS);
  const { topicId } = extent;
  const sum: Sum = { delivered: 0, rejected: 0, filtered: 0, unreadable: 0, stopped: null, notes };
  try {
    for (const { partition, first, end, done } of toCome) {
      let next = first;
      while (next < end && sum.stopped === null) {
        const stretch = await reader.read(partition, next, end);
        const letters = lettersIn(place.sync, partition, stretch.messages, done);
        for (let from = 0; from < letters.length && sum.stopped === null; from += PAGE) {
          const page = letters.slice(from, from + PAGE);
          const open = await sendPage(page, tools, sum);
          const later = letters[from + PAGE]?.at.offset ?? stretch.next;
          const reached = open.length > 0 ? open[0]! : later;
          const above = [...done, ...settledOf(page, open)].filter((offset) => offset >= reached);
          await store.savePositions(place, [{ partition, next: reached, done: above, topicId }]);
        }
        if (letters.length === 0) {
          const above = [...done].filter((offset) => offset >= stretch.next);
          await store.savePositions(place, [{ partition, next: stretch.next, done: above, topicId }]);
        }
        next = stretch.next;
      }
    }
    return sum;
  } finally {
    await reader.close();
  }
}

/** The offsets of those that are left without an outcome. */
async function sendPage(page: readonly TopicLetter[], tools: TopicRedriveTools, sum: Sum): Promise<bigint[]> {
  const { delivered, filtered, rejected, unreadable, stopped } = await redrivePage(page, tools.redrive);
  const again = [...rejected].map(([index, { code, reason, field, attempts }]) => {
    const letter = page[index]!;
    return { ...letter, code, reason, field: field ?? null, attempts: (letter.attempts ?? 0) + (attempts ?? 0) };
  });
  // What is kept moves behind the ends, for the topic cannot keep it where it is.
  await tools.sink.add([...again, ...unreadable.map((index) => page[index]!)]);
  sum.delivered += delivered.length;
  sum.filtered += filtered.length;
  sum.rejected += rejected.size;
  sum.unreadable += unreadable.length;
  sum.stopped = stopped;
  const settled = new Set([...delivered, ...filtered, ...rejected.keys(), ...unreadable]);
  return page.filter((_, index) => !settled.has(index)).map(({ at }) => at.offset);
}

function settledOf(page: readonly TopicLetter[], open: readonly bigint[]): bigint[] {
  const left = new Set(open);
  return page.filter(({ at }) => !left.has(at.offset)).map(({ at }) => at.offset);
}
