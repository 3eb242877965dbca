/** What would be sent, without sending it: the same mapping, the same partitioner, the same bytes (Promise 6). */
import { randomId } from '../base/random.ts';
import { fitting, placeOf } from '../delivery/index.ts';
import {
  compileCondition,
  compileMapping,
  compileReason,
  type CompiledMapping,
  type Condition,
  type MappingContext,
} from '../mapping/index.ts';
import {
  HeadraceError,
  type JsonValue,
  type Message,
  type MessageConfig,
  type Rejection,
  type SourceRecord,
  type SourceRejection,
  type SyncConfig,
} from '../model/index.ts';
import { completeEvent, isFault } from '../sources/events/index.ts';
import type { Sender } from '../delivery/ports.ts';
import type { OpenFiles } from '../sources/ports.ts';
import { unknownSync, type Flow } from './flows.ts';
import { openTable } from './open-table.ts';
import type { Syncs } from './syncs.ts';

/** Where an event comes from that is posted on this machine: its `context.ip`, unless it has one. */
const LOOPBACK = '127.0.0.1';

export interface Previewed {
  readonly position: string;
  readonly result: Message | Rejection | { readonly state: 'filtered'; readonly reason: string };
  /** Null where the message goes round robin, or the topic's partitions are not known. */
  readonly partition: number | null;
  readonly partitionBy: 'partition' | 'default_partition' | 'partition_key' | 'key' | 'round_robin' | null;
  readonly lints: readonly string[];
}

export interface PreviewRequest {
  readonly sync: string;
  readonly limit: number;
  /** A raw event, or a row; absent: the source's own records. */
  readonly record: JsonValue | undefined;
  /** The record's own text where it is known: a row of JSON lines keeps its bytes. */
  readonly recordText?: string;
  /** Epoch milliseconds: `synced_at` of rows, `receivedAt` of an event. */
  readonly atMs: number;
  /** The run id that mappings see. */
  readonly run: string;
}

/** The first records of a sync as they would be sent. Throws HeadraceError. */
export async function previewSync(syncs: Syncs, openFiles: OpenFiles, request: PreviewRequest): Promise<Previewed[]> {
  const flow = syncs.flows.get(request.sync);
  if (flow === undefined) throw unknownSync(request.sync, syncs.configuration);
  const destination = syncs.destinations.get(flow.sync.destination);
  if (destination === null) {
    throw new HeadraceError('conflict', `The destination ${flow.sync.destination} is switched off.`, {
      remedy: 'Switch it on with `headrace enable`.',
    });
  }
  const context: MappingContext = {
    sync: flow.sync.name,
    source: flow.sync.source,
    syncedAt: new Date(request.atMs).toISOString(),
    syncedAtMs: request.atMs,
    run: flow.kind === 'events' ? null : request.run,
  };
  const previewed: Previewed[] = [];
  for (const record of await recordsOf(syncs, openFiles, flow, request)) {
    previewed.push(
      'outcome' in record ? unread(record) : await previewRecord(record, flow, context, destination.sender),
    );
  }
  return previewed;
}

/** A record that could not be read has no message to show. */
function unread(rejection: SourceRejection): Previewed {
  return { position: rejection.position, result: rejection.outcome, partition: null, partitionBy: null, lints: [] };
}

async function recordsOf(
  syncs: Syncs,
  openFiles: OpenFiles,
  flow: Flow,
  request: PreviewRequest,
): Promise<(SourceRecord | SourceRejection)[]> {
  if (request.record !== undefined) return [givenRecord(flow, request)];
  if (flow.kind === 'events') {
    throw new HeadraceError('config_invalid', 'An event sync has no records to read: give one.', {
      remedy: 'Add `--record event.json`.',
    });
  }
  const reader = await openTable(openFiles, syncs.configuration, flow.sync);
  const records: (SourceRecord | SourceRejection)[] = [];
  const enough = new AbortController();
  try {
    for await (const batch of reader.batches(null, enough.signal)) {
      records.push(...batch.records, ...batch.rejections);
      if (records.length >= request.limit) enough.abort();
    }
  } finally {
    await reader.close();
  }
  return records.slice(0, request.limit);
}

function givenRecord(flow: Flow, request: PreviewRequest): SourceRecord {
  const data = request.record as JsonValue;
  if (flow.kind === 'table') {
    const { file, format } = flow.sync.read ?? { file: '', format: null };
    const keepsBytes = format === 'jsonl' || format === 'json' || /\.(jsonl?|ndjson)(\.gz)?$/i.test(file);
    const text = keepsBytes ? request.recordText?.trim() : undefined;
    return {
      operation: 'created',
      stream: file,
      namespace: null,
      position: 'record',
      data,
      bytes: text === undefined ? null : Buffer.from(text),
      receivedAtMs: null,
      messageId: null,
    };
  }
  const event = completeEvent(data, { receivedAtMs: request.atMs, ip: LOOPBACK, newMessageId: randomId });
  if (!isFault(event)) return event;
  throw new HeadraceError(event.code, event.message, {
    ...(event.field === null ? {} : { path: event.field }),
    remedy: event.remedy,
  });
}

async function previewRecord(
  record: SourceRecord,
  flow: Flow,
  context: MappingContext,
  sender: Pick<Sender, 'topic'>,
): Promise<Previewed> {
  const { position } = record;
  const lints = [...flow.mapping.lints];
  if (flow.passes !== null && !flow.passes(record)) {
    const reason = filteredBecause(flow, record);
    return { position, result: { state: 'filtered', reason }, partition: null, partitionBy: null, lints };
  }
  const result = flow.mapping.map(record, context);
  if ('state' in result) return { position, result, partition: null, partitionBy: null, lints };
  const facts = await sender.topic(result.topic, false, 'look');
  const partitionBy = ruleOf(result, flow, record, context);
  if (!('partitions' in facts)) {
    lints.push(`topic ${result.topic}: ${facts.held.reason}`);
    return { position, result, partition: result.partition, partitionBy, lints };
  }
  if (facts.planned === true) lints.push(`topic ${result.topic} is not there yet: the first message makes it`);
  const fit = fitting(result, facts, flow.options.shrink);
  if ('state' in fit) return { position, result: fit, partition: null, partitionBy, lints };
  const place = placeOf(fit, facts, flow.options.assign, () => 0);
  if (typeof place !== 'number') return { position, result: place, partition: null, partitionBy, lints };
  return { position, result: fit, partition: partitionBy === 'round_robin' ? null : place, partitionBy, lints };
}

function filteredBecause({ sync }: Flow, record: SourceRecord): string {
  const byType = sync.types !== null && !(sync.types as readonly string[]).includes(record.stream);
  if (byType) return `type ${record.stream} is not among types`;
  if (sync.trigger === null) return elsewhere;
  const { condition, reason } = triggerOf(sync, sync.trigger);
  return condition?.(record.data) === true ? elsewhere : `the trigger does not pass: ${reason(record.data)}`;
}

const elsewhere = 'its own integrations keep it from this destination';

// Only preview asks which part decided, for record after record of one sync.
const triggers = new WeakMap<SyncConfig, PreviewedTrigger>();
const partial = new WeakMap<SyncConfig, Map<string, CompiledMapping>>();

interface PreviewedTrigger {
  readonly condition: Condition | null;
  readonly reason: (data: JsonValue) => string;
}

function triggerOf(sync: SyncConfig, trigger: string): PreviewedTrigger {
  let known = triggers.get(sync);
  if (known === undefined) {
    known = { condition: compileCondition(trigger), reason: compileReason(trigger) };
    triggers.set(sync, known);
  }
  return known;
}

/** The sync's mapping with these fields only. */
function mappingWith(sync: SyncConfig, fields: MessageConfig, kind: 'rows' | 'events'): CompiledMapping {
  let mappings = partial.get(sync);
  if (mappings === undefined) partial.set(sync, (mappings = new Map()));
  const name = Object.keys(fields).join(' ');
  let mapping = mappings.get(name);
  if (mapping === undefined)
    mappings.set(name, (mapping = compileMapping({ message: fields, kind, defaultTopic: 'topic' })));
  return mapping;
}

/** Which rule chose the partition. Where two could have, the mapping is asked again without the later one. */
function ruleOf(
  message: Message,
  { sync, kind }: Flow,
  record: SourceRecord,
  context: MappingContext,
): NonNullable<Previewed['partitionBy']> {
  const { partition, default_partition: standard, partition_key: partitionKey, ...rest } = sync.message;
  const without = (fields: MessageConfig): Message | Rejection =>
    mappingWith(sync, fields, kind === 'events' ? 'events' : 'rows').map(record, context);
  const chose = (mapped: Message | Rejection, field: 'partition' | 'partitionKey'): boolean =>
    !('state' in mapped) && mapped[field] !== null;
  if (message.partition !== null) {
    if (partition === undefined) return 'default_partition';
    if (standard === undefined) return 'partition';
    return chose(without({ ...rest, partition }), 'partition') ? 'partition' : 'default_partition';
  }
  if (message.partitionKey === null) return 'round_robin';
  if (partitionKey === undefined) return 'key';
  return chose(without({ ...rest, key: null, partition_key: partitionKey }), 'partitionKey') ? 'partition_key' : 'key';
}
