/** The tables of the own state, as both databases hold them. Times are ISO text, JSON is text: the same digits in both. */
import type { Generated } from 'kysely';

export type StoreKind = 'sqlite' | 'postgres';

export interface Tables {
  meta: MetaTable;
  objects: ObjectsTable;
  runs: RunsTable;
  dead_letters: DeadLettersTable;
  letter_positions: LetterPositionsTable;
}

interface MetaTable {
  key: string;
  value: string;
}

interface ObjectsTable {
  kind: string;
  name: string;
  body: string;
  version: number;
  updated_at: string;
}

interface RunsTable {
  /** Order of creation: start times may be equal. */
  seq: Generated<number>;
  id: string;
  sync: string;
  state: string;
  cause: string;
  counts: string;
  started_at: string;
  ended_at: string | null;
  resumed: number;
  error: string | null;
  checkpoint: string | null;
  /** The data folder, and the process, that the run belongs to while it is running. */
  node: string;
  owner: string;
}

interface DeadLettersTable {
  id: Generated<number>;
  sync: string;
  run: string | null;
  code: string;
  reason: string;
  field: string | null;
  position: string | null;
  topic: string | null;
  partition: number | null;
  key: Uint8Array | null;
  value: Uint8Array | null;
  headers: string;
  timestamp_ms: number | null;
  raw: Uint8Array | null;
  /** Null in rows from before there were such columns, and where there is none. */
  partition_key: Uint8Array | null;
  identity: string | null;
  attempts: number | null;
  created_at: string;
  digest: string | null;
}

interface LetterPositionsTable {
  destination: string;
  topic: string;
  partition: number;
  sync: string;
  next_offset: string;
  /** JSON: offsets above `next_offset` that are done too. */
  done: string;
  topic_id: string | null;
  updated_at: string;
}
