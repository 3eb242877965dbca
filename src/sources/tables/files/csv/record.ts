/** A record made of a CSV row. */
import type { JsonValue, Operation, SourceRecord } from '../../../../model/index.ts';

/**
 * `data` is a plain object, column → value in the header's order. All rows of a file share one shape, so that code
 * compiled for one of them is fast for all.
 */
export class RowRecord implements SourceRecord {
  readonly stream: string;
  readonly line: number;
  readonly data: JsonValue;

  constructor(stream: string, line: number, data: JsonValue) {
    this.stream = stream;
    this.line = line;
    this.data = data;
  }

  get position(): string {
    return `${this.stream}:${this.line}`;
  }

  get operation(): Operation {
    return 'created';
  }

  get bytes(): null {
    return null;
  }

  get namespace(): null {
    return null;
  }

  get receivedAtMs(): null {
    return null;
  }

  get messageId(): null {
    return null;
  }
}
