/** One event: checked, completed and made a record. Pure. */
import { isRawNumber } from '../../base/json.ts';
import { suggest } from '../../base/suggest.ts';
import { eventTypes } from '../../model/index.ts';
import type { ErrorCode, EventType, JsonValue } from '../../model/index.ts';
import { isDeeperThan, maxDepth } from './depth.ts';
import { EventRecord } from './record.ts';
import { eventTimes, printTime } from './times.ts';

type JsonObject = { [key: string]: JsonValue };

/** What an event is completed with, besides itself. */
export interface EventFacts {
  readonly receivedAtMs: number;
  /** The sender's address for `context.ip`; null: not known, `context.ip` stays out. */
  readonly ip: string | null;
  /** Called where the event has no `messageId`. */
  newMessageId(): string;
  /** The type that the path names; it stands whatever the event says. Absent: the event's own `type`. */
  readonly type?: EventType;
  /** What a batch says for all its events; what an event says itself wins. */
  readonly batch?: BatchFacts;
}

export interface BatchFacts {
  readonly context: JsonObject | null;
  readonly integrations: JsonObject | null;
  readonly sentAt: JsonValue | undefined;
}

/** Why an event is refused: told to its sender, field by field. */
export interface EventFault {
  readonly code: ErrorCode;
  readonly message: string;
  /** The field of the event, e.g. `groupId`; null when it is the event as a whole. */
  readonly field: string | null;
  readonly remedy: string;
}

/**
 * Completes a raw event (parsed by `base/json.ts`) as if it had been posted, or says what is wrong with it.
 * Filled in: `type`, `messageId`, `originalTimestamp`, `timestamp`, `receivedAt`, `context.ip`, and from the batch
 * `context`, `integrations` and `sentAt`. `writeKey` is taken out: it is a secret. `raw` is not changed.
 */
export function completeEvent(raw: JsonValue, facts: EventFacts): EventRecord | EventFault {
  if (!isObject(raw)) return fault('event_invalid', null, 'The event is not a JSON object.', 'Send an object: {…}.');
  if (isDeeperThan(raw, maxDepth)) return tooDeep();
  const type = facts.type ?? raw['type'];
  const wrong = findFault(raw, type);
  if (wrong !== null) return wrong;

  const event: JsonObject = { ...raw };
  if (event['writeKey'] !== undefined) delete event['writeKey'];
  event['type'] = type as EventType;
  const given = event['messageId'];
  const messageId = typeof given === 'string' && given !== '' ? given : facts.newMessageId();
  event['messageId'] = messageId;
  const { batch } = facts;
  if (batch !== undefined) mergeBatch(event, batch);
  completeContext(event, facts.ip);
  const client = event['originalTimestamp'] || event['timestamp'];
  const times = eventTimes(client, event['sentAt'], facts.receivedAtMs);
  event['originalTimestamp'] = times.originalTimestamp;
  event['timestamp'] = times.timestamp;
  event['receivedAt'] = printTime(facts.receivedAtMs);
  const integrations = event['integrations'] ?? null;
  return new EventRecord(type as EventType, facts.receivedAtMs, event, messageId, integrations);
}

export function isFault(result: EventRecord | EventFault): result is EventFault {
  return 'code' in result;
}

function findFault(raw: JsonObject, type: JsonValue | undefined): EventFault | null {
  if (typeof type !== 'string' || !isEventType(type)) return wrongType(type);
  const hasUser = isPresent(raw['userId']);
  if (!hasUser && !isPresent(raw['anonymousId'])) return missingIds(raw);
  switch (type) {
    case 'track':
      if (!isText(raw['event'])) return missing('event', type, 'the name of what happened, e.g. "Order Completed"');
      break;
    case 'group':
      if (!isPresent(raw['groupId'])) return missing('groupId', type, 'the id of the group');
      break;
    case 'alias':
      if (!isPresent(raw['previousId'])) return missing('previousId', type, 'the id that the user had before');
      if (!hasUser) return missing('userId', type, 'the id that the user has now');
      break;
    case 'identify':
    case 'page':
    case 'screen':
      break;
  }
  return findWrongField(raw);
}

function findWrongField(raw: JsonObject): EventFault | null {
  const messageId = raw['messageId'];
  if (messageId !== undefined && messageId !== null) {
    if (typeof messageId !== 'string') return wrongField('messageId', 'is not text', 'Send text, or leave it out.');
    if (messageId.length >= 100)
      return wrongField('messageId', 'has 100 characters or more', 'Keep it under 100 characters, or leave it out.');
  }
  const context = raw['context'];
  if (context !== undefined && context !== null && !isObject(context))
    return wrongField('context', 'is not an object', 'Send an object, or leave it out.');
  return null;
}

function mergeBatch(event: JsonObject, batch: BatchFacts): void {
  if (batch.context !== null) event['context'] = merged(batch.context, event['context']);
  if (batch.integrations !== null) event['integrations'] = merged(batch.integrations, event['integrations']);
  if (batch.sentAt !== undefined) event['sentAt'] ??= batch.sentAt;
}

/** The batch's names and the event's, the event's winning; a value under a name is taken whole. */
function merged(ofBatch: JsonObject, ofEvent: JsonValue | undefined): JsonValue {
  if (ofEvent === undefined || ofEvent === null) return ofBatch;
  return isObject(ofEvent) ? { ...ofBatch, ...ofEvent } : ofEvent;
}

function completeContext(event: JsonObject, ip: string | null): void {
  if (ip === null) return;
  const context = event['context'];
  if (!isObject(context)) {
    event['context'] = { ip };
    return;
  }
  const given = context['ip'];
  if (given === undefined || given === null || given === '') event['context'] = { ...context, ip };
}

/** An id counts when it is text other than `""` or a number: SDKs send `""` for users they do not know. */
function isPresent(value: JsonValue | undefined): boolean {
  return isText(value) || typeof value === 'number' || isRawNumber(value);
}

function isText(value: JsonValue | undefined): boolean {
  return typeof value === 'string' && value !== '';
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value);
}

function isEventType(type: string): type is EventType {
  return (eventTypes as readonly string[]).includes(type);
}

function tooDeep(): EventFault {
  return fault(
    'event_invalid',
    null,
    `The event is nested more than ${maxDepth} levels deep.`,
    'Send flatter properties, or the deep part as text.',
  );
}

function missingIds(raw: JsonObject): EventFault {
  const wrong = ['userId', 'anonymousId'].find((name) => typeof raw[name] === 'object' || raw[name] === true);
  if (wrong !== undefined && raw[wrong] !== null)
    return wrongField(wrong, 'is neither text nor a number', 'Send the id as text.');
  return fault(
    'no_user_anon_id',
    'userId',
    'The event has neither userId nor anonymousId.',
    'Send userId, or anonymousId while the user is not known; "" counts as missing.',
  );
}

function missing(field: string, type: string, what: string): EventFault {
  return fault('event_invalid', field, `The ${type} call has no ${field}.`, `Send ${field}: ${what}.`);
}

function wrongField(field: string, what: string, remedy: string): EventFault {
  return fault('event_invalid', field, `${field} ${what}.`, remedy);
}

function wrongType(type: JsonValue | undefined): EventFault {
  const known = eventTypes.join(', ');
  if (typeof type !== 'string')
    return fault('event_invalid', 'type', 'The event has no type.', `Send type: one of ${known}.`);
  const near = suggest(type, eventTypes);
  const shown = JSON.stringify(type.slice(0, 40));
  return fault(
    'event_invalid',
    'type',
    `The type ${shown} is not known.`,
    near === null ? `Send one of ${known}.` : `Did you mean ${near}?`,
  );
}

function fault(code: ErrorCode, field: string | null, message: string, remedy: string): EventFault {
  return { code, message, field, remedy };
}
