/** What the spool needs from outside, and what it tells. */
import type { Clock } from '../../base/clock.ts';
import type { Held, Message, Rejection } from '../../model/index.ts';
import type { IntakeOptions } from '../entry.ts';
import type { MessageOwner } from '../ports.ts';
import type { SpoolFiles } from './files.ts';
import type { SpooledMessage } from './frame.ts';

export interface SpoolOptions {
  readonly files: SpoolFiles;
  /** Of this destination alone. */
  readonly folder: string;
  readonly clock: Clock;
  /** Of all segments; beyond, messages are refused. A function where it may change. */
  readonly maxBytes: number | (() => number);
  readonly segmentBytes: number;
  /** Kept free for progress and state on a disk that is full; 0: none. */
  readonly reserveBytes: number;
  /** How messages of a route are to be handled; never throws, also for a route of an earlier configuration. */
  readonly route: (route: string) => IntakeOptions;
  readonly delivered: (route: string) => void;
  /** Resolves when all are stored as dead letters. */
  readonly reject: (letters: readonly RejectedMessage[]) => Promise<void>;
  /** Messages of a topic cannot go on, or go on again. */
  readonly held: (topic: string, held: Held | null) => void;
  /** Whether a sync whose records were parked may not go on; absent: none is ever parked. */
  readonly parked?: (sync: string) => boolean;
  /** Records of a sync that goes on, in their order; resolves with whether each is safe elsewhere, or with one word for all. */
  readonly release?: (sync: string, items: readonly SpooledMessage[]) => Promise<Released>;
  /** Why a record can never go on, so that it becomes a dead letter; null, or absent: it may. */
  readonly unusable?: (sync: string, item: SpooledMessage) => Rejection | null;
  readonly warned: (message: string) => void;
}

/** Whether records that were to go on are safe elsewhere: each by its index, or all. What is not stays where it is. */
export type Released = boolean | readonly boolean[];

export interface RejectedMessage {
  readonly message: Message;
  readonly route: string;
  readonly position: string;
  readonly rejection: Rejection;
}

export interface SpoolStatus {
  /** On the disk. */
  readonly bytes: number;
  /** Not delivered yet. */
  readonly messages: number;
  /** Of the oldest of them; 0: there is none. */
  readonly oldestAgeSeconds: number;
}

/** A request whose messages may go to the lanes or to the disk. */
export interface SpoolOwner extends MessageOwner {
  /** Its messages in the lanes of this destination without an outcome, for a topic or (null) for all. */
  waiting(topic: string | null): readonly { readonly index: number; readonly item: SpooledMessage }[];
  /** From now on the outcome of the message in the lane belongs to another owner, under another index. */
  redirect(index: number, owner: MessageOwner, as: number): void;
  /** These are in the spool, safe when `flushed` resolves; when it rejects, none is taken. */
  spooled(indexes: readonly number[], flushed: Promise<void>): void;
  /** The spool could not take its messages: the reason. */
  refused(reason: string): void;
}
