/** Log lines and metrics, made of typed events. */
export type { Emit, TelemetryEvent } from './events.ts';
export { createTelemetry, type Telemetry } from './telemetry.ts';
