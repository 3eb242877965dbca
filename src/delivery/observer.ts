/** What delivery tells about itself; telemetry makes log lines and metrics of it. */
import type { LaneBatch, SendResult } from './ports.ts';

export interface DeliveryObserver {
  /** One attempt to send one batch ended. */
  attempted(batch: LaneBatch, result: SendResult, tookMs: number): void;
}

export const silentObserver: DeliveryObserver = { attempted: () => undefined };
