/** A first-in first-out list of entries that gives back memory as it is emptied. */
import type { Entry } from '../entry.ts';
import type { MessageOwner } from '../ports.ts';

const COMPACT_AT = 4096;

export class EntryQueue {
  #entries: (Entry | undefined)[] = [];
  #head = 0;
  /** Of all entries that wait. */
  bytes = 0;

  get length(): number {
    return this.#entries.length - this.#head;
  }

  push(entry: Entry): void {
    this.#entries.push(entry);
    this.bytes += entry.bytes;
  }

  first(): Entry | undefined {
    return this.#entries[this.#head];
  }

  /** The longest run from the front within the limits, at least one entry; removed from the queue. */
  cut(maxMessages: number, maxBytes: number): Entry[] {
    const batch: Entry[] = [];
    let messages = maxMessages;
    let limitBytes = maxBytes;
    let bytes = 0;
    while (this.#head < this.#entries.length) {
      const entry = this.#entries[this.#head]!;
      messages = Math.min(messages, entry.options.batchMessages);
      limitBytes = Math.min(limitBytes, entry.options.batchBytes);
      if (batch.length > 0 && (batch.length >= messages || bytes + entry.bytes > limitBytes)) break;
      this.#entries[this.#head++] = undefined;
      batch.push(entry);
      bytes += entry.bytes;
    }
    this.bytes -= bytes;
    this.#compact();
    return batch;
  }

  /** Takes out every entry whose owner matches; the order of the others stays. */
  remove(matches: (owner: MessageOwner) => boolean): Entry[] {
    const removed: Entry[] = [];
    const kept: Entry[] = [];
    for (let i = this.#head; i < this.#entries.length; i++) {
      const entry = this.#entries[i]!;
      if (matches(entry.owner)) {
        removed.push(entry);
        this.bytes -= entry.bytes;
      } else kept.push(entry);
    }
    this.#entries = kept;
    this.#head = 0;
    return removed;
  }

  /** Of all entries that wait. */
  owners(): Set<MessageOwner> {
    const owners = new Set<MessageOwner>();
    let last: MessageOwner | null = null;
    // Many in a row are mostly of one owner.
    for (let i = this.#head; i < this.#entries.length; i++) {
      const { owner } = this.#entries[i]!;
      if (owner !== last) owners.add((last = owner));
    }
    return owners;
  }

  #compact(): void {
    if (this.#head === this.#entries.length) {
      this.#entries = [];
      this.#head = 0;
    } else if (this.#head >= COMPACT_AT) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
  }
}
