/** What goes wrong around the local Kafka, each with the remedy in the same breath. */

export type LocalKafkaErrorCode =
  | 'java_missing'
  | 'jars_missing'
  | 'port_taken'
  | 'already_starting'
  | 'start_failed'
  | 'start_timeout'
  | 'format_failed';

/** `message` is one sentence; `remedy` one more. A front door turns it into its own kind of error. */
export class LocalKafkaError extends Error {
  readonly code: LocalKafkaErrorCode;
  readonly remedy: string;

  constructor(code: LocalKafkaErrorCode, message: string, remedy: string) {
    super(message);
    this.name = 'LocalKafkaError';
    this.code = code;
    this.remedy = remedy;
  }

  override toString(): string {
    return `${this.message} ${this.remedy}`;
  }
}
