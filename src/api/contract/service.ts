/**
 * What Headrace can be asked to do, and the shapes of the answers. One interface for the running server's API, for the
 * command line talking to it, and for the command line doing the work itself.
 */
import type { Counts, JsonValue, ObjectKind, Problem, RunFacts, WrittenObject } from '../../model/index.ts';

export interface HeadraceService {
  /** What `apply` would do; stores nothing. */
  plan(objects: readonly WrittenObject[], options: { prune: boolean }): Promise<PlanAnswer>;
  /** Stores the objects in one transaction and lets the running flows take the change. Throws on problems; nothing is stored then. */
  apply(objects: readonly WrittenObject[], options: { prune: boolean }): Promise<PlanAnswer>;
  /** All stored objects as written, secrets' values left out. */
  export(): Promise<readonly WrittenObject[]>;
  check(destination: string, over?: Overlay): Promise<CheckReport>;
  /** Internal topics (`__*`) only with `all`. */
  topics(destination: string, over?: Overlay, all?: boolean): Promise<readonly TopicSummary[]>;
  preview(sync: string, options: PreviewOptions): Promise<readonly PreviewLine[]>;
  /** Progress a few times a second; the last item carries the finished run. Ends `cancelled` when the signal aborts. */
  run(sync: string, cause: RunFacts['cause'], signal: AbortSignal): AsyncIterable<RunProgress>;
  runs(sync: string | null, limit: number): Promise<readonly RunFacts[]>;
  cancel(run: string): Promise<RunFacts>;
  /** Forgets the checkpoint of a sync: the next run begins anew. */
  reset(sync: string): Promise<void>;
  setEnabled(name: string, enabled: boolean): Promise<void>;
  deadLetters(sync: string, limit: number): Promise<DeadLetterAnswer>;
  /** Sends all of them again, each once; resolves when each has its outcome. */
  redrive(sync: string): Promise<RedriveAnswer>;
  /** Forgets them, or those of one code. How many they were; those in a topic are passed over. */
  clearDeadLetters(
    sync: string,
    code: string | null,
  ): Promise<{ readonly removed: number; readonly notes?: readonly string[] }>;
  /** Live messages of a topic from now on (or from the start), until the signal aborts. */
  tail(topic: string, options: TailOptions, signal: AbortSignal): AsyncIterable<TailMessage>;
  status(): Promise<StatusAnswer>;
}

/** Objects laid over what is stored for one question; nothing of them is stored. */
export type Overlay = readonly WrittenObject[];

export interface PlanAnswer {
  readonly changes: readonly {
    readonly kind: ObjectKind;
    readonly name: string;
    readonly change: 'create' | 'update' | 'delete' | 'unchanged';
    /** Paths of the fields that an update changes, never their values. */
    readonly fields: readonly string[];
  }[];
  /** Not empty: nothing was or would be applied. */
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
}

export interface CheckReport {
  readonly destination: string;
  readonly ok: boolean;
  /** In order; after the first failure the rest is skipped. */
  readonly steps: readonly CheckStep[];
  readonly warnings: readonly string[];
  readonly tookMs: number;
}

export interface CheckStep {
  readonly step:
    'settings' | 'dns' | 'tcp' | 'tls' | 'sasl' | 'versions' | 'brokers' | 'topics' | 'topic' | 'write' | 'message';
  readonly state: 'ok' | 'failed' | 'skipped';
  readonly detail: string;
  readonly cause: string | null;
  readonly remedy: string | null;
  /** Where a failed step is explained, relative to the project. */
  readonly link?: string | null;
  readonly tookMs: number;
}

export interface TopicSummary {
  readonly topic: string;
  readonly partitions: number;
  readonly replication: number;
  readonly cleanupPolicy: string | null;
  readonly maxMessageBytes: number | null;
}

export interface PreviewOptions {
  readonly limit: number;
  /** A raw event or a row instead of the source's own records. */
  readonly record: JsonValue | undefined;
  /** The text the record was read from: a row of JSON lines keeps its bytes. */
  readonly recordText?: string;
  /** ISO 8601; null: the preview's own start. */
  readonly at: string | null;
  readonly run: string | null;
  readonly over?: Overlay;
}

export interface PreviewLine {
  readonly passed: boolean;
  /** Null when it did not pass, or was rejected. */
  readonly message: PreviewMessage | null;
  /** Why not, when there is no message. */
  readonly reason: string | null;
  readonly position: string;
  /** Which rule chose the partition. */
  readonly partitionBy: 'partition' | 'default_partition' | 'partition_key' | 'key' | 'round_robin' | null;
  readonly bytes: number | null;
  readonly lints: readonly string[];
}

/** Key, value and header values: text where UTF-8, else `{base64}`; null for none. */
export type PreviewBytes = string | { readonly base64: string } | null;

export interface PreviewMessage {
  readonly topic: string;
  /** Null where a message without a key goes round robin. */
  readonly partition: number | null;
  readonly key: PreviewBytes;
  readonly headers: readonly (readonly [name: string, value: PreviewBytes])[];
  /** Epoch milliseconds. */
  readonly timestamp: number;
  readonly value: PreviewBytes;
}

export interface RunProgress {
  readonly run: RunFacts;
  /** In the source's own unit. */
  readonly done: number;
  readonly total: number | null;
  readonly unit: 'bytes' | 'rows';
  /** Records per second since the last item. */
  readonly perSecond: number;
  /** Why nothing gets on, while that is so. */
  readonly waits: string | null;
  readonly finished: boolean;
}

export interface DeadLetterAnswer {
  readonly total: number;
  readonly byCode: readonly {
    readonly code: string;
    readonly count: number;
    /** The reason of the last one. */
    readonly example: string;
    /** ISO 8601. */
    readonly firstAt: string;
    readonly lastAt: string;
    readonly remedy: string | null;
    /** How many of them lie in the topic. */
    readonly inTopic?: number;
  }[];
  /** Where newer ones go, and whose cluster it is in; null: into the own state. */
  readonly topic: string | null;
  readonly destination: string | null;
  /** Of both places, newest first. */
  readonly letters: readonly DeadLetterSummary[];
  /** What the counts leave out, and why; absent: nothing. */
  readonly notes?: readonly string[];
}

export interface RedriveAnswer {
  readonly delivered: number;
  /** Again; kept, with the newer reason. */
  readonly rejected: number;
  /** The sync lets them pass no longer: forgotten. */
  readonly filtered: number;
  /** What was kept is no record that could be mapped anew: kept. */
  readonly unreadable: number;
  /** Why it ended before its time. */
  readonly stopped: { readonly code: string; readonly reason: string; readonly remedy: string } | null;
  readonly notes?: readonly string[];
}

export interface DeadLetterSummary {
  /** A number in the state; `topic/partition/offset` in a topic. */
  readonly id: string;
  readonly sync: string;
  readonly run: string | null;
  readonly code: string;
  readonly reason: string;
  readonly field: string | null;
  readonly position: string;
  readonly topic: string | null;
  readonly partition: number | null;
  readonly key: PreviewBytes;
  readonly value: PreviewBytes;
  readonly createdAt: string;
}

export interface TailOptions {
  /** Null: the only destination there is. */
  readonly destination: string | null;
  readonly fromStart: boolean;
  readonly over?: Overlay;
}

export interface TailMessage {
  readonly topic: string;
  readonly partition: number;
  /** Decimal text: offsets may pass what a double holds. */
  readonly offset: string;
  readonly timestamp: number;
  readonly key: PreviewBytes;
  readonly headers: readonly (readonly [name: string, value: PreviewBytes])[];
  readonly value: PreviewBytes;
}

export interface SpoolSummary {
  /** Taken and not delivered yet. */
  readonly messages: number;
  /** On the disk. */
  readonly bytes: number;
  /** 0: nothing waits. */
  readonly oldestAgeSeconds: number;
  /** Why it cannot be used, so that events are 429 until it can; null or absent: it can. */
  readonly problem?: string | null;
}

export interface StatusAnswer {
  readonly version: string;
  readonly startedAt: string;
  readonly destinations: readonly {
    readonly name: string;
    readonly enabled: boolean;
    readonly pendingMessages: number;
    readonly pendingBytes: number;
    /** What waits on the disk; null or absent: nothing may. */
    readonly spool?: SpoolSummary | null;
    readonly held: string | null;
  }[];
  readonly sources: readonly { readonly name: string; readonly type: string; readonly enabled: boolean }[];
  readonly syncs: readonly {
    readonly name: string;
    readonly enabled: boolean;
    readonly kind: 'events' | 'table';
    readonly counts: Counts;
    readonly held: string | null;
  }[];
}
