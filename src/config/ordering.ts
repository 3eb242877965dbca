/** The specs of what a sync says about order and size: `ordering:` and `oversized:`. */
import type { Ordering, Oversized } from '../model/index.ts';
import type { Spec } from './spec.ts';
import { choice } from './spec-scalars.ts';
import { describe, isObject } from './values.ts';

export const ordering: Spec<Ordering> = choice(['key', 'preserve', 'none']);

const PATH = /^\$\.[^.[\]]+(\.[^.[\]]+)*$/;
const REMEDY = 'Write `oversized: reject`, or name fields of the value: `oversized: {truncate: [$.properties.body]}`.';

export const oversized: Spec<Oversized> = {
  schema: {
    anyOf: [
      { enum: ['reject'] },
      {
        type: 'object',
        properties: {
          truncate: {
            description: 'Fields of the value that are cut, in this order, until the message fits.',
            type: 'array',
            items: { type: 'string', pattern: PATH.source },
            minItems: 1,
          },
        },
        required: ['truncate'],
        additionalProperties: false,
      },
    ],
  },
  read(value, at) {
    if (value === 'reject') return value;
    if (!isObject(value)) return at.problem(`must be reject or {truncate: …}, and is ${describe(value, at)}.`, REMEDY);
    const other = Object.keys(value).find((key) => key !== 'truncate');
    if (other !== undefined) return at.child(other).problem('is not a field that is known here.', REMEDY);
    const place = at.child('truncate');
    const paths = value['truncate'];
    if (Array.isArray(paths) && paths.length === 0) return place.problem('is an empty list.', REMEDY);
    if (!Array.isArray(paths))
      return place.problem(`must be a list of paths, and is ${describe(paths, place)}.`, REMEDY);
    const sound = paths.map((path: unknown, index) => {
      if (typeof path === 'string' && PATH.test(path)) return path;
      const one = place.child(index);
      return one.problem(
        `must be the path of a member of the value, and is ${describe(path, one)}.`,
        'Begin with `$.` and name members with dots: `$.properties.body`.',
      );
    });
    return sound.every((path) => path !== undefined) ? { truncate: sound } : undefined;
  },
};
