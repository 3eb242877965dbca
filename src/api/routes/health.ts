/** Whether it is alive and ready, what it does, in numbers and on a plain page. */
import type { FastifyInstance } from 'fastify';
import type { HeadraceService, StatusAnswer } from '../contract/service.ts';
import { contentSecurityPolicy, renderPage } from '../page.ts';

export interface HealthFacts {
  /** State and collector are up, and it is not shutting down. */
  readonly ready: boolean;
  readonly draining: boolean;
  /** e.g. `http://127.0.0.1:8080` */
  readonly address: string;
  metricsText(status: StatusAnswer): Promise<{ contentType: string; body: string }>;
}

export function addHealth(app: FastifyInstance, service: HeadraceService, health: HealthFacts): void {
  for (const path of ['/healthz', '/livez']) app.get(path, () => ({ alive: true }));

  // Kafka being away does not make it unready: it takes what it can and says so.
  app.get<{ Querystring: { verbose?: string } }>('/readyz', async (request, reply) => {
    const state = health.draining ? 'draining' : health.ready ? 'ready' : 'starting';
    const answer = { ready: state === 'ready', state };
    if (state !== 'ready') void reply.code(503);
    if (health.draining) void reply.header('connection', 'close');
    if (request.query.verbose === undefined) return answer;
    return { ...answer, destinations: (await service.status()).destinations };
  });

  app.get('/metrics', async (_request, reply) => {
    const { contentType, body } = await health.metricsText(await service.status());
    void reply.type(contentType);
    return body;
  });

  app.get('/api/status', () => service.status());

  app.get('/', async (request, reply) => {
    // Names of syncs and sources are for whoever is on this machine.
    const local = isLoopback(request.ip);
    void reply.type('text/html; charset=utf-8').header('content-security-policy', contentSecurityPolicy);
    void reply.header('referrer-policy', 'no-referrer').header('cache-control', 'no-store');
    return renderPage(health.address, local ? await service.status() : null);
  });
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address);
}
