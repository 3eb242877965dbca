/** All directives. A new one is its file and one line here. */
import type { Directive } from '../directive.ts';
import { coalesceDirective } from './coalesce.ts';
import { ifDirective } from './if.ts';
import { literalDirective } from './literal.ts';
import { metaDirective } from './meta.ts';
import { pathDirective } from './path.ts';
import { templateDirective } from './template.ts';

const list: readonly Directive[] = [
  pathDirective,
  templateDirective,
  literalDirective,
  ifDirective,
  coalesceDirective,
  metaDirective,
];

export const directives: ReadonlyMap<string, Directive> = new Map(list.map((directive) => [directive.name, directive]));
