/** The mapping room: record to message. */
export { checkColumns, checkMessage } from './check.ts';
export { compileMapping } from './compile.ts';
export { checkTrigger, compileCondition, compileReason, type Condition } from './condition.ts';
export { directives } from './directives/index.ts';
export type { Directive, DirectiveExample } from './directive.ts';
export { lintSync, type Lint } from './lints.ts';
export { topicNameFault } from './fields/topic.ts';
export { compileTruncation } from './truncate.ts';
export { presets } from './presets/index.ts';
export type { CompiledMapping, MappingContext, MappingInput } from './ports.ts';
