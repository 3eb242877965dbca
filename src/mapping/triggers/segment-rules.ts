/** Every way in which Segment's own evaluator is known to answer otherwise, with what it does and why ours is right. */

export interface SegmentRule {
  /** What Segment does, after "Segment". */
  readonly segment: string;
  /** Why the documented language, and so Headrace, does otherwise. */
  readonly ours: string;
}

export const segmentRules = {
  mixed_and_or: {
    segment: 'applies the last `and` or `or` of a group to the whole group',
    ours: '`and` binds tighter than `or`, as in every language and in the documentation',
  },
  group_cut: {
    segment: 'ends a group at the first `)`, which here is that of a function, and dissolves the rest',
    ours: 'a group ends at its own parenthesis',
  },
  nested_parentheses: {
    segment: 'cannot read parentheses inside parentheses and never sends',
    ours: 'parentheses may stand wherever a condition may',
  },
  single_quotes: {
    segment: 'keeps the single quotes as part of the text',
    ours: 'both quotes are documented',
  },
  no_escapes: {
    segment: 'knows no escapes: a backslash is part of the text and the next quote ends it',
    ours: 'a quote or backslash inside a text must be expressible',
  },
  match_pattern: {
    segment:
      'turns `match` into "starts with" when the pattern ends with `*`, else into "ends with" without its first character',
    ours: 'the documented pattern language, on the whole text',
  },
  negation_dropped: {
    segment: 'drops the `!`',
    ours: '`!` negates',
  },
  negated_missing: {
    segment: 'takes a negated comparison with a missing or otherwise typed value as false',
    ours: 'what is missing or of another type is not equal and does not contain',
  },
  compared_as_text: {
    segment: 'compares with the text of the value',
    ours: '`=` and `!=` are strict and typed',
  },
  null_as_text: {
    segment: 'compares with the text "null"',
    ours: 'null is a value, and what an absent field counts as',
  },
  path_as_text: {
    segment: 'compares with the name of the path as a text',
    ours: 'a path stands for its value on either side',
  },
  missing_value: {
    segment: 'takes the missing value for the text "eos"',
    ours: 'a comparison without a value is an error',
  },
  text_as_number: {
    segment: 'makes a number of the text',
    ours: '`>`, `>=`, `<` and `<=` compare numbers; a text beside them is never true',
  },
  field_dropped: {
    segment: 'knows only type, event, name, userId, context, properties and traits and drops the condition',
    ours: 'any field of the record may be named, and no condition is dropped',
  },
  deeper_path: {
    segment: 'looks at the top field only',
    ours: 'a path is followed to its end',
  },
  whole_object: {
    segment: 'looks for a field of that name inside itself',
    ours: 'a path stands for what it names',
  },
  escaped_dot: {
    segment: 'splits the path at the escaped dot',
    ours: 'an escaped dot is part of the name',
  },
  exponent: {
    segment: 'reads the number up to the exponent',
    ours: 'numbers may have an exponent',
  },
  long_number: {
    segment: 'rounds the number to a double',
    ours: 'long integers and decimals compare digit by digit',
  },
  path_condition: {
    segment:
      'wants an operator of its own and a value behind every path; what stands there instead is never true or swallowed',
    ours: '`in`, array indexes, lists, words after a path and paths that are true or false by themselves are read as documented or refused',
  },
  unspaced: {
    segment: 'wants spaces around words, quotes and operators, and misreads or skips what follows without one',
    ours: 'spaces are free',
  },
  upper_case: {
    segment: 'ignores AND and OR in capitals: what counts is the last lower-case one, else `and`',
    ours: 'they are refused with the right spelling',
  },
  ignored: {
    segment: 'skips what it does not understand',
    ours: 'what cannot be understood is refused at save',
  },
  empty_group: {
    segment: 'fails while it evaluates the empty parentheses',
    ours: 'empty parentheses are refused at save',
  },
  never_sends: {
    segment: 'cannot read this and never sends',
    ours: 'it is part of the documented language',
  },
} as const satisfies Record<string, SegmentRule>;

export type SegmentRuleName = keyof typeof segmentRules;
