/** AWS credentials for a login: given keys, the default chain of AWS, or a role taken on with either. */
import { isoTime } from '../../base/clock.ts';
import { HeadraceError, type ErrorCode, type IamLogin } from '../../model/index.ts';
import type { MechanismContext } from './mechanism.ts';
import { tidy } from './oauthbearer-claims.ts';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

type Provider = () => Promise<Credentials>;

/** The chain may ask a metadata service that is not there. */
const TIMEOUT_MS = 8_000;
/** Lent keys are renewed this long before they end; a login with them lives up to 15 minutes longer than it takes. */
const RENEW_BEFORE_MS = 5 * 60_000;

/** Gives credentials for a region; throws HeadraceError when there are none. Lent ones are kept until they are about to end. */
export class IamCredentials {
  readonly #config: IamLogin;
  readonly #context: MechanismContext;
  readonly #held = new Map<string, Credentials>();
  readonly #asking = new Map<string, Promise<Credentials>>();

  constructor(config: IamLogin, context: MechanismContext) {
    this.#config = config;
    this.#context = context;
  }

  async get(region: string): Promise<Credentials> {
    const { keys, roleArn } = this.#config;
    // Read anew at each login: a rotated key counts without a restart.
    if (keys !== null && roleArn === null) return this.#keys(keys);
    const held = this.#held.get(region);
    if (held !== undefined && !this.#ending(held)) return held;
    const asked = this.#asking.get(region) ?? this.#ask(region).finally(() => this.#asking.delete(region));
    this.#asking.set(region, asked);
    const fresh = await asked;
    this.#held.set(region, fresh);
    return fresh;
  }

  /** The broker refused a login with them: the next one asks anew. */
  drop(region: string): void {
    this.#held.delete(region);
  }

  #keys(keys: NonNullable<IamLogin['keys']>): Credentials {
    const { accessKeyId, secretAccessKey, sessionToken } = keys;
    return {
      accessKeyId: accessKeyId.current().trim(),
      secretAccessKey: secretAccessKey.current().trim(),
      ...(sessionToken === null ? {} : { sessionToken: sessionToken.current().trim() }),
    };
  }

  #ending({ expiration }: Credentials): boolean {
    return expiration === undefined || expiration.getTime() - RENEW_BEFORE_MS <= this.#context.clock.now();
  }

  async #ask(region: string): Promise<Credentials> {
    const provider = await this.#provider(region);
    const { clock } = this.#context;
    let stop = (): void => {};
    const late = new Promise<never>((_, reject) => {
      stop = clock.after(TIMEOUT_MS, () => reject(new Late()), { unref: true });
    });
    try {
      return await Promise.race([provider(), late]);
    } catch (error) {
      throw this.#failure(error);
    } finally {
      stop();
    }
  }

  /** AWS's code is 20 MB and is loaded only where it is used (docs/decisions). */
  async #provider(region: string): Promise<Provider> {
    const { keys, roleArn } = this.#config;
    const { fromNodeProviderChain, fromTemporaryCredentials } = await import('@aws-sdk/credential-providers');
    const clientConfig = { region, maxAttempts: 2 };
    const chain = (): Provider => fromNodeProviderChain({ clientConfig, maxRetries: 1, timeout: 1_000 });
    if (roleArn === null) return chain();
    return fromTemporaryCredentials({
      params: { RoleArn: roleArn, RoleSessionName: 'headrace' },
      masterCredentials: keys === null ? chain() : this.#keys(keys),
      clientConfig,
    });
  }

  /** AWS's errors hold requests and answers: only their name and words go on. Promise 8. */
  #failure(thrown: unknown): HeadraceError {
    const { name, message } = thrown instanceof Error ? thrown : new Error(String(thrown));
    const { roleArn, keys } = this.#config;
    const [code, cause, remedy] = explained(
      name,
      tidy(this.#withoutSecrets(message)),
      roleArn,
      keys !== null,
      this.#context,
    );
    return new HeadraceError(code, `${cause}.`, { path: `destinations.${this.#context.destination}.sasl`, remedy });
  }

  #withoutSecrets(text: string): string {
    const { keys } = this.#config;
    let safe = text;
    for (const secret of [keys?.secretAccessKey, keys?.sessionToken])
      if (secret && secret.reveal() !== '') safe = safe.replaceAll(secret.reveal(), '******');
    return safe;
  }
}

class Late extends Error {
  constructor() {
    super(`no answer within ${TIMEOUT_MS / 1000} s`);
    this.name = 'Late';
  }
}

type Explained = [code: ErrorCode, cause: string, remedy: string];

function explained(
  name: string,
  text: string,
  roleArn: string | null,
  given: boolean,
  { clock }: MechanismContext,
): Explained {
  const words = text.replace(/\.$/, '');
  const what = roleArn === null ? 'AWS credentials cannot be had' : `The role ${roleArn} cannot be taken on`;
  const time = /Signature expired|not yet current|RequestExpired|RequestTimeTooSkewed|InvalidSignatureTime/i;
  if (time.test(`${name} ${text}`))
    return [
      'authentication_failed',
      `${what}: the clock here, at ${isoTime(clock.now())}, is not that of AWS (${words})`,
      'Set the clock of this machine by NTP.',
    ];
  if (/AccessDenied/i.test(name))
    return [
      'authentication_failed',
      `${what}: AWS denies it (${words})`,
      'Allow sts:AssumeRole for these credentials, and name them in the trust policy of the role.',
    ];
  if (/InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|InvalidAccessKeyId/i.test(name))
    return [
      'authentication_failed',
      `${what}: AWS does not know the keys (${words})`,
      'Check `access_key_id` and `secret_access_key`; lent keys need `session_token` too.',
    ];
  if (/ExpiredToken/i.test(name))
    return [
      'authentication_failed',
      `${what}: the lent keys have expired (${words})`,
      'Give keys that have not expired, or `role_arn`.',
    ];
  if (name === 'CredentialsProviderError' && !given && !/STS|assume/i.test(text))
    return [
      'token_unavailable',
      `${what}: neither environment, profile, container nor instance has any (${words})`,
      'Give `access_key_id` and `secret_access_key`, or run with a profile, a container role or an instance role.',
    ];
  return [
    'token_unavailable',
    `${what} (${name === 'Error' ? '' : `${name}: `}${words})`,
    'Check that this machine can reach AWS; it is tried again.',
  ];
}
