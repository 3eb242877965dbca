/** The collector: application events over HTTP. What other rooms and the front doors use of it. */
export { createCollector, maxConnections, serverOptions } from './collector.ts';
export type { Collector, CollectorObserver, CollectorOptions, ObservedAnswer } from './collector.ts';
export { completeEvent, isFault } from './event.ts';
export type { EventFacts, EventFault } from './event.ts';
export { integrationsAllow } from './integrations.ts';
export { WriteKeys } from './write-keys.ts';
