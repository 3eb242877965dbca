/** Runs: history and cancelling. */
import type { FastifyInstance } from 'fastify';
import { limitOf, textOf } from '../body.ts';
import type { HeadraceService } from '../contract/service.ts';

export function addRuns(app: FastifyInstance, service: HeadraceService): void {
  app.get<{ Querystring: { sync?: string; limit?: string } }>('/api/runs', (request) =>
    service.runs(textOf(request.query.sync, 'sync'), limitOf(request.query.limit, 20, 1000)),
  );
  app.post<{ Params: { id: string } }>('/api/runs/:id/cancel', (request) => service.cancel(request.params.id));
}
