/** The paths of the collector: the calls of the tracking API, their short forms, and the batches. */
import type { EventType } from '../../model/index.ts';

export type Route =
  | { readonly kind: 'single'; readonly type: EventType }
  /** `keyInQuery`: a browser's beacon can set no header, so its write key may stand in the address. */
  | { readonly kind: 'batch'; readonly keyInQuery: boolean }
  /** What analytics.js reports about itself: taken, answered and forgotten. */
  | { readonly kind: 'metrics' };

/** The route of a request's `url` (path and query), or undefined where the path is not the collector's. */
export function routeOf(url: string): Route | undefined {
  const queryStart = url.indexOf('?');
  return routes.get(queryStart < 0 ? url : url.slice(0, queryStart));
}

const batch: Route = { kind: 'batch', keyInQuery: false };

const routes: ReadonlyMap<string, Route> = new Map<string, Route>([
  ...single('track', 't'),
  ...single('identify', 'i'),
  ...single('page', 'p'),
  ...single('screen', 's'),
  ...single('group', 'g'),
  ...single('alias', 'a'),
  ['/v1/batch', batch],
  ['/v1/b', batch],
  ['/v1/import', batch],
  ['/beacon/v1/batch', { kind: 'batch', keyInQuery: true }],
  ['/v1/m', { kind: 'metrics' }],
]);

function single(type: EventType, short: string): [string, Route][] {
  const route: Route = { kind: 'single', type };
  return [
    [`/v1/${type}`, route],
    [`/v1/${short}`, route],
  ];
}
