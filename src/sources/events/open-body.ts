/** From the bytes of a body to the records in it: by scan where the body is in the simple form, else by parsing. */
import { isUtf8 } from 'node:buffer';
import { parseJson } from '../../base/json.ts';
import type { EventsSourceConfig, EventType, JsonValue } from '../../model/index.ts';
import { completeBatch, eventTooLarge } from './batch.ts';
import type { BatchEvents, RejectedEvent } from './batch.ts';
import { completeEvent, isFault } from './event.ts';
import type { EventFacts, EventFault } from './event.ts';
import type { EventRecord } from './record.ts';
import { refusals } from './refusals.ts';
import { EventScan } from './scan.ts';
import { Splicer } from './splice.ts';

export type BatchLimits = Pick<EventsSourceConfig, 'maxEventBytes' | 'maxBatchEvents'>;

/** A body that could be read. Its events must be taken before another body is opened. */
export interface OpenBody {
  /** The write key that the body names, or null. */
  readonly writeKey: string | null;
  single(type: EventType, facts: EventFacts): EventRecord | EventFault;
  batch(limits: BatchLimits, facts: EventFacts): BatchEvents | EventFault;
}

/** Opens a body, or says why it cannot be read. `maxBatchEvents`: no source takes more in one batch. */
export function openBody(body: Buffer, kind: 'single' | 'batch', maxBatchEvents: number): OpenBody | EventFault {
  if (!isUtf8(body)) return refusals.notUtf8;
  const isScanned = kind === 'single' ? scan.scanSingle(body) : scan.scanBatch(body, maxBatchEvents);
  // A batch without events is parsed, which tells an empty list from a missing one.
  if (isScanned && (kind === 'single' || scan.count > 0)) return new ScannedBody(body, kind);
  const start = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0; // a byte order mark
  try {
    return new ParsedBody(parseJson(body.toString('utf8', start)) as JsonValue, body.length);
  } catch (error) {
    return error instanceof SyntaxError ? refusals.notJson(body, error) : refusals.tooDeep;
  }
}

const scan = new EventScan();

class ScannedBody implements OpenBody {
  readonly writeKey: string | null;
  readonly #body: Buffer;
  readonly #sentAt: Buffer | null;

  constructor(body: Buffer, kind: 'single' | 'batch') {
    this.#body = body;
    this.writeKey = kind === 'single' ? scan.writeKeyOf(0, body) : scan.writeKeyOfBatch(body);
    this.#sentAt = kind === 'single' ? null : scan.sentAtOfBatch(body);
  }

  single(type: EventType, facts: EventFacts): EventRecord | EventFault {
    const splicer = new Splicer(scan, this.#body, { ...facts, type, sentAt: null });
    return splicer.complete(0) ?? completeEvent(this.#parse(0), { ...facts, type });
  }

  batch(limits: BatchLimits, facts: EventFacts): BatchEvents | EventFault {
    if (scan.count > limits.maxBatchEvents) return refusals.tooManyEvents(scan.count, limits.maxBatchEvents);
    const splicer = new Splicer(scan, this.#body, { ...facts, type: null, sentAt: this.#sentAt });
    const batch = { context: null, integrations: null, sentAt: this.#sentAt?.toString() };
    const records: EventRecord[] = [];
    const rejected: RejectedEvent[] = [];
    for (let index = 0; index < scan.count; index++) {
      const result = splicer.complete(index) ?? completeEvent(this.#parse(index), { ...facts, batch });
      if (isFault(result)) rejected.push({ index, ...result });
      else if (scan.end(index) - scan.begin(index) > limits.maxEventBytes)
        rejected.push({ index, ...eventTooLarge(limits.maxEventBytes) });
      else records.push(result);
    }
    return { records, rejected };
  }

  #parse(index: number): JsonValue {
    return parseJson(this.#body.toString('utf8', scan.begin(index), scan.end(index))) as JsonValue;
  }
}

class ParsedBody implements OpenBody {
  readonly writeKey: string | null;
  readonly #tree: JsonValue;
  readonly #bodyBytes: number;

  constructor(tree: JsonValue, bodyBytes: number) {
    this.#tree = tree;
    this.#bodyBytes = bodyBytes;
    this.writeKey = keyOf(tree);
  }

  single(type: EventType, facts: EventFacts): EventRecord | EventFault {
    return completeEvent(this.#tree, { ...facts, type });
  }

  batch(limits: BatchLimits, facts: EventFacts): BatchEvents | EventFault {
    return completeBatch(this.#tree, this.#bodyBytes, limits, facts);
  }
}

function keyOf(body: JsonValue): string | null {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return null;
  const key = body['writeKey'];
  return typeof key === 'string' && key !== '' ? key : null;
}
