/** The management API: Fastify beside the collector's bare server, on the same port. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { fastify, type FastifyError, type FastifyInstance } from 'fastify';
import { parseJson } from '../base/json.ts';
import type { Secret } from '../base/secret.ts';
import { HeadraceError } from '../model/index.ts';
import type { Emit } from '../telemetry/index.ts';
import { isAuthorized } from './auth.ts';
import type { HeadraceService } from './contract/service.ts';
import { problemOf } from './contract/problem.ts';
import { asHeadraceError } from './failure.ts';
import { addDestinations } from './routes/destinations.ts';
import { addHealth, type HealthFacts } from './routes/health.ts';
import { addObjects } from './routes/objects.ts';
import { addOpenApi } from './routes/openapi.ts';
import { addRuns } from './routes/runs.ts';
import { addSyncs } from './routes/syncs.ts';
import { addTopics } from './routes/topics.ts';

export interface ApiOptions {
  readonly service: HeadraceService;
  readonly token: Secret;
  readonly health: HealthFacts;
  readonly emit: Emit;
}

export interface Api {
  handle(request: IncomingMessage, response: ServerResponse): void;
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 8 * 1024 * 1024;

export async function createApi(options: ApiOptions): Promise<Api> {
  const { service, token, emit } = options;
  const app = fastify({ bodyLimit: MAX_BODY_BYTES, logger: false });
  readBodies(app);
  app.setErrorHandler(async (error: FastifyError, request, reply) => {
    const told = error.code?.startsWith('FST_') === true ? badRequest(error) : asHeadraceError(error);
    if (told.code === 'internal')
      emit({ kind: 'request_failed', method: request.method, path: pathOf(request.url), error });
    const problem = problemOf(told);
    await reply.code(problem.status).type('application/problem+json').send(problem);
  });
  app.setNotFoundHandler(async (request, reply) => {
    const error = new HeadraceError('not_found', `There is nothing at ${request.method} ${pathOf(request.url)}.`, {
      remedy: 'The paths stand in /api/openapi.json.',
    });
    await reply.code(404).type('application/problem+json').send(problemOf(error));
  });
  app.addHook('onRequest', async (request, reply) => {
    void reply.header('x-content-type-options', 'nosniff');
    if (!pathOf(request.url).startsWith('/api') || isAuthorized(request.headers, token)) return;
    void reply.header('www-authenticate', 'Bearer');
    const error = new HeadraceError('unauthorized', 'The API needs the token of this server.', {
      remedy: 'Send it as `Authorization: Bearer …`; it stands in server.json of the data folder.',
    });
    await reply.code(401).type('application/problem+json').send(problemOf(error));
  });
  addHealth(app, service, options.health);
  addObjects(app, service);
  addDestinations(app, service);
  addSyncs(app, service);
  addRuns(app, service);
  addTopics(app, service);
  addOpenApi(app);
  await app.ready();
  return { handle: (request, response) => app.routing(request, response), close: () => app.close() };
}

/** JSON bodies keep the digits of their numbers. */
function readBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, body === '' ? undefined : parseJson(body as string));
    } catch (error) {
      done(new HeadraceError('json_invalid', `The body is no JSON: ${faultOf(error)}.`), undefined);
    }
  });
}

/** Without the piece of the text that V8 quotes: it may be a piece of a password. */
function faultOf(error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  return reason.replace(/, (?:\.\.\.)?"[^]*$/, '');
}

function badRequest(error: FastifyError): HeadraceError {
  const message = error.message.endsWith('.') ? error.message : `${error.message}.`;
  return new HeadraceError('config_invalid', message, { remedy: 'Compare the request with /api/openapi.json.' });
}

function pathOf(url: string): string {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}
