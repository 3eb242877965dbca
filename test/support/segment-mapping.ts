/** Segment's own mapper, as the oracle of differential tests. */
import { createRequire } from 'node:module';
import type { JsonValue } from '../../src/model/index.ts';

type Transform = (mapping: unknown, data: unknown) => unknown;

// The package can only be required: its ES modules import folders.
const { transform } = createRequire(import.meta.url)('@segment/actions-core/mapping-kit') as { transform: Transform };

export type SegmentResult =
  { readonly ok: true; readonly json: string | undefined } | { readonly ok: false; readonly why: string };

/** What Segment makes of a mapping, as JSON text; undefined where the value is absent. */
export function segmentMap(mapping: JsonValue, data: JsonValue): SegmentResult {
  try {
    const result = transform({ v: mapping }, data) as { v?: unknown };
    return { ok: true, json: JSON.stringify(result.v) };
  } catch (error) {
    return { ok: false, why: error instanceof Error ? error.message : String(error) };
  }
}

/** Where Segment's mapper answers otherwise, and why ours is right. */
export const mappingDifferences = {
  stops_at_falsy: 'a field of 0, "" or false has no fields inside; Segment takes that value for the field inside it',
  foreign_members: 'texts and lists have no members such as `length`, and inherited members are no fields',
  quoted_bracket: 'a name with a dot in it can be written in quoted brackets; Segment looks for the quotes',
  dollar_alone: '`$` is the whole record, as in every JSON path; Segment finds nothing',
  dollar_in_template: '`{{$.a}}` is the same path as in @path; Segment leaves the place empty',
  open_braces: 'braces that are not closed are text; Segment takes all up to the next closing ones for one path',
  object_in_template: 'objects and lists in text are their JSON; Segment puts in "[object Object]"',
  replacement_dollar: 'a replacement is plain text; Segment reads `$&` in it as the match',
  falsy_else: '`else: 0`, `else: ""`, `else: false` and `else: null` count; Segment leaves the field out',
  falsy_condition: 'a literal 0, "", false or null is a condition like any other; Segment throws',
  falsy_json: 'a literal 0, "", false or null has a JSON text like any other; Segment throws',
  empty_literal: 'empty text written in the mapping is empty text; Segment leaves the field out',
  merge_not_object:
    'what is no object has no members to merge; Segment merges the characters of a text and the items of a list',
  merge_absent: 'an absent member says nothing; Segment lets it remove the same member of another object',
  absent_in_list:
    'an absent item of a list is null from the start, as it is in the JSON; Segment drops it where @flatten or a path looks into the list',
  path_not_text:
    'a path or template that the record does not give as text gives nothing; Segment throws, and nothing is sent',
  long_digits:
    'numbers keep their digits and the form in which they were written, such as 1.0; Segment rounds and shortens them',
  proto_name: 'a field called `__proto__` is a field; Segment sets the prototype, and the field is gone',
} as const;

export type MappingDifference = keyof typeof mappingDifferences;
