/** Promises about messages: order per key, bounded in flight, retry, one outcome each. */
export { Delivery, type DeliveryOptions } from './delivery.ts';
export { fitting, placeOf } from './place.ts';
export { SafePosition } from './checkpoints/safe-position.ts';
export type { IntakeOptions, Shrink } from './entry.ts';
export type { DeliveryObserver } from './observer.ts';
export { Spool } from './spool/spool.ts';
export { isParked, parkedTopic } from './spool/releases.ts';
export { systemFiles } from './spool/files.ts';
export type { SpooledMessage } from './spool/frame.ts';
export type { Released, SpoolOwner, SpoolStatus } from './spool/ports.ts';
