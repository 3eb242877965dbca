/** The nouns all rooms speak. */
export * from './configuration.ts';
export * from './dead-letter.ts';
export * from './errors.ts';
export * from './message.ts';
export * from './object.ts';
export * from './outcome.ts';
export * from './preset.ts';
export * from './problem.ts';
export * from './record.ts';
export * from './run.ts';
export * from './security.ts';
