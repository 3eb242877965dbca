/** A batch of events: one bad event does not lose the others. */
import { isRawNumber } from '../../base/json.ts';
import type { EventsSourceConfig, JsonValue, SourceRecord } from '../../model/index.ts';
import { isDeeperThan, maxDepth } from './depth.ts';
import { refusals } from './refusals.ts';
import { completeEvent, isFault } from './event.ts';
import type { BatchFacts, EventFacts, EventFault } from './event.ts';

export interface BatchEvents {
  readonly records: readonly SourceRecord[];
  readonly rejected: readonly RejectedEvent[];
}

export interface RejectedEvent extends EventFault {
  /** The event's place in the batch, from 0. */
  readonly index: number;
}

/** Completes every event of a parsed batch body, or says why the body is no batch. `bodyBytes`: its size as text. */
export function completeBatch(
  body: JsonValue,
  bodyBytes: number,
  limits: Pick<EventsSourceConfig, 'maxEventBytes' | 'maxBatchEvents'>,
  facts: EventFacts,
): BatchEvents | EventFault {
  const events = isObject(body) ? body['batch'] : undefined;
  if (!isObject(body) || !Array.isArray(events))
    return batchFault('batch', 'The body has no list of events.', 'Send {"batch": [{…}, {…}]}.');
  if (events.length > limits.maxBatchEvents) return refusals.tooManyEvents(events.length, limits.maxBatchEvents);
  const batch = batchFacts(body);
  if ('code' in batch) return batch;

  const records: SourceRecord[] = [];
  const rejected: RejectedEvent[] = [];
  const eventFacts: EventFacts = { ...facts, batch };
  const mayBeTooLarge = bodyBytes > limits.maxEventBytes;
  for (const [index, raw] of events.entries()) {
    const result = completeEvent(raw, eventFacts);
    if (isFault(result)) rejected.push({ index, ...result });
    else if (mayBeTooLarge && isTooLarge(raw, result, limits.maxEventBytes))
      rejected.push({ index, ...eventTooLarge(limits.maxEventBytes) });
    else records.push(result);
  }
  return { records, rejected };
}

/** An event over its limit, by itself or in a batch. */
export function eventTooLarge(maxBytes: number): EventFault {
  return {
    code: 'event_too_large',
    message: `The event is larger than ${maxBytes} bytes.`,
    field: null,
    remedy: 'Send less in one event.',
  };
}

/** Fields that completing replaces or takes out: a long value there does not show in the completed event. */
const replaced = ['timestamp', 'receivedAt', 'writeKey', 'type', 'messageId'] as const;
const shortLength = 100;
/** More than all short values of those fields together can take. */
const replacedBytes = 4096;

// The completed event, which is printed anyway, settles nearly all cases; for the others the raw one is printed too.
function isTooLarge(raw: JsonValue, record: SourceRecord, maxBytes: number): boolean {
  const isNear = record.bytes!.length > maxBytes - replacedBytes;
  return (isNear || hasLongReplaced(raw)) && Buffer.byteLength(JSON.stringify(raw)) > maxBytes;
}

function hasLongReplaced(raw: JsonValue): boolean {
  return replaced.some((field) => {
    const value = (raw as { [key: string]: JsonValue | undefined })[field];
    return value !== undefined && (typeof value !== 'string' || value.length > shortLength);
  });
}

function batchFacts(body: { [key: string]: JsonValue }): BatchFacts | EventFault {
  const context = body['context'] ?? null;
  const integrations = body['integrations'] ?? null;
  if (context !== null && !isObject(context)) return notAnObject('context');
  if (integrations !== null && !isObject(integrations)) return notAnObject('integrations');
  for (const shared of [context, integrations])
    if (shared !== null && isDeeperThan(shared, maxDepth - 1))
      return batchFault(null, `The batch is nested more than ${maxDepth} levels deep.`, 'Send flatter values.');
  return { context, integrations, sentAt: body['sentAt'] };
}

function notAnObject(field: string): EventFault {
  return batchFault(field, `${field} of the batch is not an object.`, 'Send an object, or leave it out.');
}

function batchFault(field: string | null, message: string, remedy: string): EventFault {
  return { code: 'batch_invalid', message, field, remedy };
}

function isObject(value: JsonValue | undefined): value is { [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value);
}
