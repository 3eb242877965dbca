/** PLAIN and SCRAM: a user name and a password, read anew at each login, so that a rotated password counts at once. */
import type { SASLOptions } from '@platformatic/kafka';
import type { PasswordLogin } from '../../model/index.ts';
import type { Mechanism } from './mechanism.ts';

const wireNames = {
  plain: 'PLAIN',
  'scram-sha-256': 'SCRAM-SHA-256',
  'scram-sha-512': 'SCRAM-SHA-512',
} as const satisfies Record<PasswordLogin['mechanism'], SASLOptions['mechanism']>;

export const passwordLogin: Mechanism<PasswordLogin> = ({ mechanism, username, password }) => {
  const options: SASLOptions = {
    mechanism: wireNames[mechanism],
    username: () => (mechanism === 'plain' ? username.current() : scramName(username.current())),
    password: () => password.current(),
  };
  return () => Promise.resolve(options);
};

/**
 * SCRAM writes `,` as `=2C` and `=` as `=3D`. The client does that for the first comma alone, so it is handed a name that
 * answers its one call with the escaped text.
 */
function scramName(name: string): string {
  const escaped = name.replaceAll('=', '=3D').replaceAll(',', '=2C');
  return escaped === name ? name : (Object.assign(Object(name), { replaceAll: () => escaped }) as string);
}
