/** The OpenID Connect server of the tests, as its user sees it: addresses, settings, counts. Ends with the file's tests. */
import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { after } from 'node:test';
import { Secret } from '../../src/base/secret.ts';
import type { OauthLogin, OauthToken } from '../../src/model/index.ts';
import type { FromServer, OidcSettings, ToServer } from './oidc-server.ts';

export interface OidcServer {
  readonly tokenUrl: string;
  readonly jwksUrl: string;
  /** What it does from now on; the rest stays as it is. Resolves with how often it was asked, and gave a token, so far. */
  set(settings: Partial<OidcSettings>): Promise<{ asked: number; tokens: number }>;
  stop(): void;
}

/** Client `headrace` with the secret `a secret` unless the settings say otherwise. */
export async function startOidc(settings: Partial<OidcSettings> = {}): Promise<OidcServer> {
  const child = fork(join(import.meta.dirname, 'oidc-server.ts'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  running.add(child);
  let port = await nextPort(child);
  let lastId = 0;
  const set = (given: Partial<OidcSettings>): Promise<{ asked: number; tokens: number }> =>
    new Promise((resolve, reject) => {
      const id = ++lastId;
      const ended = (): void => reject(new Error('the OIDC server ended'));
      const heard = (message: FromServer): void => {
        if (!('id' in message) || message.id !== id) return;
        child.off('message', heard).off('exit', ended);
        resolve(message);
      };
      child.on('message', heard).once('exit', ended);
      child.send({ id, settings: given } satisfies ToServer);
    });
  if (settings.tls) {
    const moved = nextPort(child);
    await set(settings);
    port = await moved;
  } else await set(settings);
  const origin = `${settings.tls ? 'https://localhost' : 'http://127.0.0.1'}:${port}`;
  return {
    tokenUrl: `${origin}/token`,
    jwksUrl: `${origin}/jwks`,
    set,
    stop() {
      running.delete(child);
      child.kill('SIGKILL');
    },
  };
}

export function oidcLogin(given: Partial<Extract<OauthToken, { kind: 'oidc' }>> & { tokenUrl: string }): OauthLogin {
  return {
    mechanism: 'oauthbearer',
    from: {
      kind: 'oidc',
      clientId: 'headrace',
      clientSecret: new Secret('a secret'),
      scope: null,
      audience: null,
      extensions: {},
      ca: null,
      ...given,
    },
  };
}

const running = new Set<ChildProcess>();
after(() => {
  for (const child of running) child.kill('SIGKILL');
});

function nextPort(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`the OIDC server ended with ${code}`));
    const heard = (message: FromServer): void => {
      if (!('port' in message)) return;
      child.off('message', heard).off('exit', ended);
      resolve(message.port);
    };
    child.on('message', heard).once('exit', ended);
  });
}
