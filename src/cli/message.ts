/** A message as read back from Kafka, in lines for people. */
import type { TailMessage } from '../api/contract/service.ts';
import { isoTime } from '../base/clock.ts';
import type { Output } from './output.ts';
import { bytesText, printable } from './text.ts';

export function messageText(message: TailMessage, output: Pick<Output, 'paint'>): string {
  const { topic, partition, offset, timestamp, key, headers, value } = message;
  const place = `${printable(topic)}/${partition}@${offset}`;
  const named = headers.map(([name, content]) => `${printable(name)}=${bytesText(content)}`).join(' ');
  const head = `${place}  ${isoTime(timestamp)}  key=${bytesText(key)}${named === '' ? '' : `  ${named}`}`;
  return `${output.paint('dim', head)}\n  ${value === null ? 'null (a tombstone)' : bytesText(value)}`;
}
