/** Destinations: Test Connection, and the topics of the cluster. */
import type { FastifyInstance } from 'fastify';
import { bodyOf, booleanOf, overlayOf } from '../body.ts';
import type { HeadraceService } from '../contract/service.ts';

type Named = { Params: { name: string } };

export function addDestinations(app: FastifyInstance, service: HeadraceService): void {
  app.post<Named>('/api/destinations/:name/check', (request) =>
    service.check(request.params.name, overlayOf(bodyOf(request.body))),
  );
  app.get<Named>('/api/destinations/:name/topics', (request) => service.topics(request.params.name));
  app.post<Named>('/api/destinations/:name/topics', (request) => {
    const body = bodyOf(request.body);
    return service.topics(request.params.name, overlayOf(body), booleanOf(body['all'], 'all', false));
  });
}
