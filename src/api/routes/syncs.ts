/** Syncs: preview, run now, forget the checkpoint, dead letters. */
import type { FastifyInstance } from 'fastify';
import type { JsonValue } from '../../model/index.ts';
import { bodyOf, booleanOf, limitOf, overlayOf, textOf } from '../body.ts';
import type { HeadraceService, RunProgress } from '../contract/service.ts';
import { sendLines } from '../stream.ts';

type Named = { Params: { name: string } };

export function addSyncs(app: FastifyInstance, service: HeadraceService): void {
  app.post<Named>('/api/syncs/:name/preview', (request) => {
    const body = bodyOf(request.body);
    const over = overlayOf(body);
    return service.preview(request.params.name, {
      limit: limitOf(body['limit'], 10, 1000),
      record: body['record'] as JsonValue | undefined,
      ...(typeof body['recordText'] === 'string' ? { recordText: body['recordText'] } : {}),
      at: textOf(body['at'], 'at'),
      run: textOf(body['run'], 'run'),
      ...(over === undefined ? {} : { over }),
    });
  });

  // The lines tell its progress; hanging up cancels the run, `detach: true` answers at once and lets it go on.
  app.post<Named>('/api/syncs/:name/run', async (request, reply) => {
    const { name } = request.params;
    const body = bodyOf(request.body);
    const cause = body['cause'] === 'manual' ? 'manual' : 'api';
    if (!booleanOf(body['detach'], 'detach', false)) {
      return sendLines(reply, (signal) => service.run(name, cause, signal));
    }
    const progress = service.run(name, cause, new AbortController().signal)[Symbol.asyncIterator]();
    const first = await progress.next();
    void drain(progress);
    await reply.code(202).send((first.value as RunProgress).run);
  });

  app.post<Named>('/api/syncs/:name/reset', async (request, reply) => {
    await service.reset(request.params.name);
    await reply.code(204).send();
  });

  app.get<Named & { Querystring: { limit?: string } }>('/api/syncs/:name/dead-letters', (request) =>
    service.deadLetters(request.params.name, limitOf(request.query.limit, 100, 1000)),
  );

  app.post<Named>('/api/syncs/:name/dead-letters/redrive', (request) => service.redrive(request.params.name));

  app.post<Named>('/api/syncs/:name/dead-letters/clear', (request) =>
    service.clearDeadLetters(request.params.name, textOf(bodyOf(request.body)['code'], 'code')),
  );
}

/** The end of the run is told by telemetry and stands among the runs. */
async function drain(progress: AsyncIterator<RunProgress>): Promise<void> {
  try {
    while ((await progress.next()).done !== true);
  } catch {
    // It is recorded with the run.
  }
}
