/** A completed event as a record: held as a tree, as bytes or both; each is made from the other when first asked for. */
import { JsonScanner } from '../../base/json-scan.ts';
import { parseJson } from '../../base/json.ts';
import type { EventType, JsonValue, SourceRecord } from '../../model/index.ts';

export class EventRecord implements SourceRecord {
  readonly operation = 'none';
  readonly stream: EventType;
  readonly namespace = null;
  readonly receivedAtMs: number;
  /** The event's `integrations`; null where it has none or says nothing with them. */
  readonly integrations: JsonValue;
  #tree: JsonValue | undefined = undefined;
  #bytes: Buffer | null = null;
  #messageId: string | null;

  /** `event`: a tree or bytes. `messageId` null: to be read from them when asked for. */
  constructor(
    stream: EventType,
    receivedAtMs: number,
    event: JsonValue | Buffer,
    messageId: string | null,
    integrations: JsonValue,
  ) {
    this.stream = stream;
    this.receivedAtMs = receivedAtMs;
    this.integrations = integrations;
    if (Buffer.isBuffer(event)) this.#bytes = event;
    else this.#tree = event;
    this.#messageId = messageId;
  }

  get data(): JsonValue {
    return (this.#tree ??= parseJson(this.#bytes!.toString()) as JsonValue);
  }

  /** Printed once, and shared by all syncs. */
  get bytes(): Buffer {
    return (this.#bytes ??= Buffer.from(JSON.stringify(this.#tree)));
  }

  get unparsed(): boolean {
    return this.#tree === undefined;
  }

  get messageId(): string {
    return (this.#messageId ??= this.#tree === undefined ? messageIdOf(this.#bytes!) : messageIdIn(this.#tree));
  }

  get position(): string {
    return this.messageId;
  }
}

const scanner = new JsonScanner(['messageId']);

/** Without parsing the event: it is asked for whenever one goes to the disk. */
function messageIdOf(bytes: Buffer): string {
  scanner.scan(bytes);
  return JSON.parse(scanner.slice(bytes, 0)!.toString()) as string;
}

function messageIdIn(event: JsonValue): string {
  return (event as { messageId: string }).messageId;
}
