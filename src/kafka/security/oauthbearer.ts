/** OAUTHBEARER: logging in with a token. */
import { HeadraceError, type OauthLogin } from '../../model/index.ts';
import type { Mechanism } from './mechanism.ts';

export const oauthBearer: Mechanism<OauthLogin> = () => () =>
  Promise.reject(
    new HeadraceError('not_yet', 'Login by OAUTHBEARER is not yet supported.', { remedy: 'Use scram-sha-512.' }),
  );
