/** What front doors use of the configuration. */
export { readEnvironment, type Environment, type LogLevel } from './environment.ts';
export { exportYaml } from './export.ts';
export { readFile } from './file.ts';
export { createObjects, type Objects, type ObjectsStore, type PlanSummary } from './objects.ts';
export { createConfigReader, type ConfigReader, type ReaderOptions } from './reader.ts';
export { configurationSchema } from './schema.ts';
export { createSealer, type Sealer } from './seal.ts';
export { readText, type TextInput, type WrittenText } from './written.ts';
