/** All directives. A new one is its file and one line here. */
import type { Directive } from '../directive.ts';
import { arrayPathDirective } from './array-path.ts';
import { caseDirective } from './case.ts';
import { coalesceDirective } from './coalesce.ts';
import { booleanDirective, numberDirective, stringDirective } from './conversions.ts';
import { dateDirective } from './date.ts';
import { excludeWhenNullDirective } from './exclude-when-null.ts';
import { flattenDirective } from './flatten.ts';
import { hashDirective } from './hash.ts';
import { ifDirective } from './if.ts';
import { jsonDirective } from './json.ts';
import { liquidDirective } from './liquid.ts';
import { literalDirective } from './literal.ts';
import { lookupDirective } from './lookup.ts';
import { mergeDirective } from './merge.ts';
import { metaDirective } from './meta.ts';
import { mustacheDirective } from './mustache.ts';
import { pathDirective } from './path.ts';
import { patternDirective } from './pattern.ts';
import { replaceDirective } from './replace.ts';
import { templateDirective } from './template.ts';
import { transformDirective } from './transform.ts';
import { uuidDirective } from './uuid.ts';

const list: readonly Directive[] = [
  pathDirective,
  templateDirective,
  literalDirective,
  ifDirective,
  coalesceDirective,
  metaDirective,
  caseDirective,
  replaceDirective,
  arrayPathDirective,
  jsonDirective,
  flattenDirective,
  mergeDirective,
  transformDirective,
  excludeWhenNullDirective,
  mustacheDirective,
  liquidDirective,
  lookupDirective,
  numberDirective,
  stringDirective,
  booleanDirective,
  dateDirective,
  hashDirective,
  uuidDirective,
  patternDirective,
];

export const directives: ReadonlyMap<string, Directive> = new Map(list.map((directive) => [directive.name, directive]));
