/** AWS MSK IAM: logging in with a token. */
import { HeadraceError, type IamLogin } from '../../model/index.ts';
import type { Mechanism } from './mechanism.ts';

export const awsMskIam: Mechanism<IamLogin> = () => () =>
  Promise.reject(
    new HeadraceError('not_yet', 'Login by AWS MSK IAM is not yet supported.', { remedy: 'Use scram-sha-512.' }),
  );
