/** Up to where the dead letters in a topic were sent again, for each destination, topic, partition and sync. */
import type { Kysely } from 'kysely';
import { isoTime, type Clock } from '../base/clock.ts';
import type { LetterPosition } from '../model/index.ts';
import { onState } from './failure.ts';
import type { Tables } from './tables.ts';

export interface LetterPositionKey {
  readonly destination: string;
  readonly topic: string;
  readonly sync: string;
}

export interface LetterPositionStore {
  /** Those of a sync in one topic, by partition. */
  positions(key: LetterPositionKey): Promise<LetterPosition[]>;
  /** Durable, all or none, when it resolves. */
  savePositions(key: LetterPositionKey, positions: readonly LetterPosition[]): Promise<void>;
}

export function letterPositionStore(db: Kysely<Tables>, place: string, clock: Clock): LetterPositionStore {
  return {
    positions: ({ destination, topic, sync }) =>
      onState(place, async () => {
        const rows = await db
          .selectFrom('letter_positions')
          .selectAll()
          .where('destination', '=', destination)
          .where('topic', '=', topic)
          .where('sync', '=', sync)
          .orderBy('partition')
          .execute();
        return rows.map((row) => ({
          partition: Number(row.partition),
          next: BigInt(row.next_offset),
          done: (JSON.parse(row.done) as string[]).map(BigInt),
          topicId: row.topic_id,
        }));
      }),

    savePositions: (key, positions) =>
      onState(place, () =>
        db.transaction().execute(async (transaction) => {
          for (const { partition, next, done, topicId } of positions) {
            const value = {
              next_offset: String(next),
              done: JSON.stringify(done.map(String)),
              topic_id: topicId,
              updated_at: isoTime(clock.now()),
            };
            await transaction
              .insertInto('letter_positions')
              .values({ ...key, partition, ...value })
              .onConflict((conflict) =>
                conflict.columns(['destination', 'topic', 'partition', 'sync']).doUpdateSet(value),
              )
              .execute();
          }
        }),
      ),
  };
}
