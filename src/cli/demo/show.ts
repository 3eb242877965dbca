/** What the demo prints: messages as they are read back from Kafka, a few of the many rows, all that come later. */
import type { TailMessage } from '../../api/contract/service.ts';
import { messageText } from '../message.ts';
import type { Output } from '../output.ts';
import { countText } from '../text.ts';

/** Of the many rows only the first are shown. */
const SHOWN_AT_FIRST = 4;

export class DemoScreen {
  readonly #output: Output;
  readonly #seen = new Map<string, number>();
  #watchers: (() => void)[] = [];
  /** From then on every message is shown. */
  #live = false;

  constructor(output: Output) {
    this.#output = output;
  }

  say(text: string): void {
    this.#output.line(text);
  }

  /** Messages of the topic read back so far. */
  seen(topic: string): number {
    return this.#seen.get(topic) ?? 0;
  }

  show(message: TailMessage): void {
    const count = this.seen(message.topic) + 1;
    this.#seen.set(message.topic, count);
    if (this.#live || count <= SHOWN_AT_FIRST) this.#output.line(messageText(message, this.#output));
    for (const watcher of this.#watchers) watcher();
  }

  /** Resolves once so many messages of the topic were read back. */
  whenSeen(topic: string, count: number): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.seen(topic) < count) return;
        this.#watchers = this.#watchers.filter((one) => one !== look);
        resolve();
      };
      this.#watchers.push(look);
      look();
    });
  }

  /** How many were not shown, and that all are from now on. */
  goLive(): void {
    for (const [topic, count] of this.#seen) {
      const more = count - SHOWN_AT_FIRST;
      if (more > 0) this.#output.line(this.#output.paint('dim', `… and ${countText(more)} more of ${topic}`));
    }
    this.#live = true;
  }
}
