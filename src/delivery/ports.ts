/** What delivery needs from outside, and what it answers. No Kafka noun beyond topic and partition. */
import type { Held, Message, Outcome } from '../model/index.ts';

/** One partition's batch: what a lane has in flight. The same object is sent again until its outcome is known. */
export interface LaneBatch {
  readonly topic: string;
  readonly partition: number;
  readonly messages: readonly Message[];
}

/** The answer to one attempt to send one batch. Decided by `kafka/classify.ts` and nowhere else. */
export type SendResult =
  | { readonly state: 'written' }
  /** The outcome may be unknown: send the same batch again before anything newer. */
  | { readonly state: 'retry'; readonly code: Held['code']; readonly reason: string }
  /** Nothing is wrong with the messages; they wait (the same batch goes again later). */
  | { readonly state: 'held'; readonly held: Held }
  /** Certainly not written: `indexes` names the poison where the broker told, null where it must be searched. */
  | {
      readonly state: 'rejected';
      readonly code: Held['code'];
      readonly reason: string;
      readonly indexes: readonly number[] | null;
    };

/** What a topic looks like now. */
export interface TopicFacts {
  readonly partitions: number;
  /** The topic's `max.message.bytes` as far as known. */
  readonly maxMessageBytes: number | null;
  /** What one message may weigh there; absent: nothing is known, and the broker's answer decides. */
  readonly sizes?: MessageSizes;
  /** The topic is not there yet: how it will be once the first message goes to it. */
  readonly planned?: boolean;
}

/** Judges the size of single messages as the sender and the brokers do. */
export interface MessageSizes {
  /** A message whose batch has no more bytes than this, uncompressed, fits for certain. */
  readonly safeBytes: number;
  /** What is exceeded, or null when it fits. */
  excess(message: Message): Excess | null;
  /** Bytes of the message as a batch of its own, uncompressed. */
  plainBytes(message: Message): number;
}

export interface Excess {
  readonly bytes: number;
  readonly limitBytes: number;
  /** In a sentence: which limit it is, and whose. */
  readonly limit: string;
}

export interface TopicProblem {
  readonly held: Held;
}

/** One connection to one cluster, as delivery sees it. */
export interface Sender {
  /**
   * Facts of a topic, from cache when fresh; a problem when it is missing or refused; throws never. To `send` to a missing
   * topic makes it where the destination says so; to `look` makes nothing.
   */
  topic(name: string, refresh: boolean, purpose?: 'send' | 'look'): Promise<TopicFacts | TopicProblem>;
  /**
   * Sends one batch once. `channel` is the lane's own memory of its producer identity and sequence; sending the same
   * batch again with the same channel sends the same sequence numbers.
   */
  send(batch: LaneBatch, channel: LaneChannel): Promise<SendResult>;
  /**
   * A fresh channel for a lane: at start, and whenever a batch was given up or changed after an attempt.
   * `beside`: other channels of the partition send at the same time.
   */
  openChannel(topic: string, partition: number, beside?: boolean): LaneChannel;
  close(): Promise<void>;
}

/** Opaque to delivery. */
export interface LaneChannel {
  readonly topic: string;
  readonly partition: number;
}

/** Picks the partition of a message; -1 when the explicit one is out of range. `turn` counts keyless messages. */
export type AssignPartition = (message: Message, partitions: number, nextTurn: () => number) => number;

/** Who handed messages in and waits for their outcomes. `index` is what the owner gave with the message. */
export interface MessageOwner {
  settled(index: number, outcome: Outcome): void;
  /** Messages of this owner cannot go on for now; told once per change, null when they go on again. */
  held(held: Held | null): void;
  /** Whether the message is on the disk too, so that nothing is missing where its outcome never comes; absent: none is. */
  isSafe?(index: number): boolean;
}
