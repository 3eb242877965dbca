/** Configuration objects: plan, apply, export, switch on and off. */
import type { FastifyInstance } from 'fastify';
import { bodyOf, booleanOf, objectsOf } from '../body.ts';
import type { HeadraceService } from '../contract/service.ts';

export function addObjects(app: FastifyInstance, service: HeadraceService): void {
  app.get('/api/objects', () => service.export());
  app.post('/api/plan', (request) => {
    const body = bodyOf(request.body);
    return service.plan(objectsOf(body, 'objects'), { prune: booleanOf(body['prune'], 'prune', false) });
  });
  app.post('/api/apply', (request) => {
    const body = bodyOf(request.body);
    return service.apply(objectsOf(body, 'objects'), { prune: booleanOf(body['prune'], 'prune', false) });
  });
  for (const [path, enabled] of [
    ['enable', true],
    ['disable', false],
  ] as const) {
    app.post<{ Params: { name: string } }>(`/api/objects/:name/${path}`, async (request, reply) => {
      await service.setEnabled(request.params.name, enabled);
      await reply.code(204).send();
    });
  }
}
