/** A completed event as a record: held as a tree, as bytes or both; each is made from the other when first asked for. */
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
    return (this.#messageId ??= (this.data as { messageId: string }).messageId);
  }

  get position(): string {
    return this.messageId;
  }
}
