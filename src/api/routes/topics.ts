/** Topics: live messages. */
import type { FastifyInstance } from 'fastify';
import { bodyOf, booleanOf, overlayOf, textOf } from '../body.ts';
import type { HeadraceService } from '../contract/service.ts';
import { sendLines } from '../stream.ts';

export function addTopics(app: FastifyInstance, service: HeadraceService): void {
  app.post<{ Params: { topic: string } }>('/api/topics/:topic/tail', (request, reply) => {
    const body = bodyOf(request.body);
    const over = overlayOf(body);
    const options = {
      destination: textOf(body['destination'], 'destination'),
      fromStart: booleanOf(body['fromStart'], 'fromStart', false),
      ...(over === undefined ? {} : { over }),
    };
    return sendLines(reply, (signal) => service.tail(request.params.topic, options, signal));
  });
}
