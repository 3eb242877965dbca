/** Up to where the dead letters in a topic were sent again, of each sync. */
import type { Migration } from 'kysely/migration';

export function letterPositions(): Migration {
  return {
    async up(db) {
      await db.schema
        .createTable('letter_positions')
        .addColumn('destination', 'text', (column) => column.notNull())
        .addColumn('topic', 'text', (column) => column.notNull())
        .addColumn('partition', 'integer', (column) => column.notNull())
        .addColumn('sync', 'text', (column) => column.notNull())
        // As text: offsets may pass what a double holds.
        .addColumn('next_offset', 'text', (column) => column.notNull())
        .addColumn('done', 'text', (column) => column.notNull())
        .addColumn('topic_id', 'text')
        .addColumn('updated_at', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('letter_positions_key', ['destination', 'topic', 'partition', 'sync'])
        .execute();
    },
  };
}
