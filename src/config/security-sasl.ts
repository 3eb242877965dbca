/** The spec of `sasl`: how a destination logs in, a shape for each mechanism. */
import type { IamLogin, OauthLogin, OauthToken, PasswordLogin, SaslConfig } from '../model/index.ts';
import type { At } from './report.ts';
import { optional, required, type Field, type Spec } from './spec.ts';
import { list, named, object, type FieldValues } from './spec-composites.ts';
import { changingText, integer, path, secret, text } from './spec-scalars.ts';
import { describe, isObject, kindOf, oneOfList } from './values.ts';

type MechanismName = SaslConfig['mechanism'];

/** As written without space, `_` and `-`, in small letters; among them spellings of vendors' forms and common slips. */
const mechanismNames: ReadonlyMap<string, MechanismName> = new Map([
  ['plain', 'plain'],
  ['scramsha256', 'scram-sha-256'],
  ['sha256', 'scram-sha-256'],
  ['scramsha512', 'scram-sha-512'],
  ['sha512', 'scram-sha-512'],
  ['oauthbearer', 'oauthbearer'],
  ['oathbearer', 'oauthbearer'],
  ['awsmskiam', 'aws-msk-iam'],
]);
const allNames: readonly MechanismName[] = ['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer', 'aws-msk-iam'];

/** Mechanisms that brokers have and Headrace has not, with what works instead. */
const refused: Readonly<Record<string, string>> = {
  gssapi:
    'Kerberos is not supported: it would need the Kerberos library of the system as compiled code. Use another listener of the cluster: scram-sha-512, oauthbearer, or client certificates under `tls`.',
  clientcertauth: 'Leave `sasl` out, and give `cert` and `key` under `tls`.',
};

/** The mechanism meant by a name in any spelling, or null. */
export function mechanismOf(name: string): MechanismName | null {
  return mechanismNames.get(folded(name)) ?? null;
}

function folded(name: string): string {
  return name.toLowerCase().replaceAll(/[\s_-]+/g, '');
}

const mechanism: Spec<MechanismName> = {
  schema: { type: 'string', examples: [...allNames] },
  read(value, at) {
    if (typeof value !== 'string') {
      return at.problem(`must be ${oneOfList(allNames)}, and is ${describe(value, at)}.`, 'Write one of them.');
    }
    const found = mechanismOf(value);
    if (found !== null) return found;
    const instead = Object.hasOwn(refused, folded(value)) ? refused[folded(value)]! : `Write ${oneOfList(allNames)}.`;
    return at.problem(`must be ${oneOfList(allNames)}, and is ${describe(value, at)}.`, instead);
  },
};

const extensionName = /^[A-Za-z]{1,100}$/;
// oxlint-disable-next-line no-control-regex
const extensionText = /^[\x20-\x7e\t\r\n]*$/;

const extensions: Spec<Readonly<Record<string, string>>> = {
  ...named(text({ example: 'logicalCluster: lkc-1234' }), 'an object of texts'),
  read(value, at) {
    const read = named(text({ example: 'logicalCluster: lkc-1234' }), 'an object of texts').read(value, at);
    const before = at.problemCount;
    for (const [name, one] of Object.entries(read ?? {})) {
      if (!extensionName.test(name) || name === 'auth' || !extensionText.test(one)) {
        at.child(name).problem(
          'is no extension that a login can carry.',
          'Names are letters (not `auth`), texts are ASCII.',
        );
      }
    }
    return at.problemCount > before ? undefined : read;
  },
};

const noExtensions: Readonly<Record<string, string>> = {};
const extensionsField = optional(
  extensions,
  'Further names and texts that the login carries, e.g. logicalCluster.',
  noExtensions,
);

const scopes: Spec<readonly string[]> = {
  schema: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
  read(value, at) {
    if (typeof value === 'string') return value.split(/[\s,]+/).filter((one) => one !== '');
    return list(text({ example: 'kafka' }), { what: 'a list of scopes', example: '[kafka]' }).read(value, at);
  },
};

const unsecured = object({
  principal: required(text({ example: 'app' }), 'Whom the token names.'),
  scope: optional(scopes, 'Scopes of the token.', [] as readonly string[]),
  life_seconds: optional(integer({ min: 1, max: 31_536_000, unit: 'seconds' }), 'How long each token lives.', 3600),
  extensions: extensionsField,
});

const oidc = object({
  token_url: required(tokenUrl(), 'Where tokens are had.'),
  client_id: required(text({ example: 'headrace' }), 'The client that asks.'),
  client_secret: required(secret(), 'Its secret.'),
  scope: optional(text({ example: 'kafka' }), 'The scope to ask for.', null),
  audience: optional(text({ example: 'kafka' }), 'The audience to ask for.', null),
  extensions: extensionsField,
  ca: optional(
    changingText('PEM', '${file:ca.pem}'),
    'Authorities of the token server; PEM. The system has others.',
    null,
  ),
});

const mechanismField: Field<MechanismName> = required(
  mechanism,
  `${oneOfList(allNames)}; in any case, with space, \`_\` or \`-\`.`,
);

const passwordFields = {
  mechanism: mechanismField,
  username: required(changingText('a user name', "'${KAFKA_USER}'"), 'The user.'),
  password: required(secret(), 'The password of that user.'),
};

const oauthFields = {
  mechanism: mechanismField,
  token: optional(secret(), 'A token as it is.', null),
  token_file: optional(path('/run/secrets/token'), 'A file that holds the token, read at each login.', null),
  unsecured: optional(unsecured, 'Tokens without a signature, for tests.', null),
  oidc: optional(oidc, 'Tokens of an OpenID Connect server, by client credentials.', null),
  extensions: extensionsField,
};

const iamFields = {
  mechanism: mechanismField,
  access_key_id: optional(
    changingText('an access key', "'${AWS_ACCESS_KEY_ID}'"),
    'Left out: the credential chain of AWS.',
    null,
  ),
  secret_access_key: optional(secret(), 'The secret of the access key.', null),
  session_token: optional(secret(), 'For keys that are lent.', null),
  role_arn: optional(
    text({
      pattern: /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,512}$/,
      shape: 'the ARN of a role',
      example: 'arn:aws:iam::123456789012:role/kafka',
    }),
    'A role to take on.',
    null,
  ),
  region: optional(
    text({ pattern: /^[a-z]{2}(?:-[a-z]+)+-\d{1,2}$/, shape: 'a region of AWS', example: 'eu-west-1' }),
    "Left out: the region in the broker's name.",
    null,
  ),
};

const password: Spec<SaslConfig> = object(passwordFields, {
  description: 'Login by user name and password.',
  refine({ mechanism: name, username, password: word }, at): PasswordLogin | undefined {
    for (const [field, { value, what }] of Object.entries({
      username: { value: username.reveal(), what: 'user name' },
      password: { value: word.reveal(), what: 'password' },
    })) {
      if (value.includes('\0')) return at.child(field).problem('holds a zero byte.', `Give the ${what} as text.`);
    }
    return { mechanism: name as PasswordLogin['mechanism'], username, password: word };
  },
});

const oauth: Spec<SaslConfig> = object(oauthFields, {
  description: 'Login by a token.',
  refine(values, at): OauthLogin | undefined {
    const ways = ['token', 'token_file', 'unsecured', 'oidc'] as const;
    const [way, other] = ways.filter((name) => values[name] !== null);
    if (way === undefined) return at.child('oidc').problem('is missing.', `Add one of ${oneOfList(ways)}.`);
    if (other !== undefined) return at.child(other).problem(`contradicts \`${way}\`.`, 'Keep one of the two.');
    const from = tokenFrom(values);
    return from === undefined ? undefined : { mechanism: 'oauthbearer', from };
  },
});

function tokenFrom(values: FieldValues<typeof oauthFields>): OauthToken | undefined {
  const { token, token_file, unsecured: own, oidc: server, extensions: outer } = values;
  if (token !== null) return { kind: 'token', token, extensions: outer };
  if (token_file !== null) return { kind: 'token_file', path: token_file, extensions: outer };
  if (own !== null) {
    const { principal, scope, life_seconds: lifeSeconds } = own;
    return { kind: 'unsecured', principal, scope, lifeSeconds, extensions: { ...outer, ...own.extensions } };
  }
  if (server === null) return undefined;
  return {
    kind: 'oidc',
    tokenUrl: server.token_url,
    clientId: server.client_id,
    clientSecret: server.client_secret,
    scope: server.scope,
    audience: server.audience,
    extensions: { ...outer, ...server.extensions },
    ca: server.ca,
  };
}

const iam: Spec<SaslConfig> = object(iamFields, {
  description: 'Login at Amazon MSK with AWS credentials.',
  refine(values, at): IamLogin | undefined {
    const { access_key_id: id, secret_access_key: key, session_token: session } = values;
    if (id === null && key !== null) return missingBeside(at, 'access_key_id', 'secret_access_key');
    if (id !== null && key === null) return missingBeside(at, 'secret_access_key', 'access_key_id');
    if (id === null && session !== null) return missingBeside(at, 'access_key_id', 'session_token');
    return {
      mechanism: 'aws-msk-iam',
      keys: id === null || key === null ? null : { accessKeyId: id, secretAccessKey: key, sessionToken: session },
      roleArn: values.role_arn,
      region: values.region,
    };
  },
});

function missingBeside(at: At, field: string, other: string): undefined {
  return at.child(field).problem(`is missing beside \`${other}\`.`, `Add \`${field}\`, or take \`${other}\` out.`);
}

const specs: Readonly<Record<MechanismName, Spec<SaslConfig>>> = {
  plain: password,
  'scram-sha-256': password,
  'scram-sha-512': password,
  oauthbearer: oauth,
  'aws-msk-iam': iam,
};

/** Where secrets may stand, whatever the mechanism is: it may come through a reference that is not resolved yet. */
const everyField = object({ ...passwordFields, ...oauthFields, ...iamFields });

export const sasl: Spec<SaslConfig> = {
  schema: {
    description: 'How to log in.',
    // Not oneOf: a mechanism that comes by reference, or alone, fits several.
    anyOf: [password.schema, oauth.schema, iam.schema],
  },
  read(value, at) {
    if (!isObject(value)) {
      return at.problem(
        `must be an object with fields, and is ${kindOf(value)}.`,
        'Begin with `mechanism: scram-sha-512`.',
      );
    }
    if (!Object.hasOwn(value, 'mechanism')) {
      return at.child('mechanism').problem('is missing.', `Add \`mechanism: ${oneOfList(allNames)}\`.`);
    }
    const name = mechanism.read(value['mechanism'], at.child('mechanism'));
    return name === undefined ? undefined : specs[name].read(value, at);
  },
  changeLeaves: (value, at, change) => everyField.changeLeaves!(value, at, change),
};

function tokenUrl(): Spec<string> {
  const spec = text({ shape: 'a URL', example: 'https://login.example.com/oauth2/token' });
  return {
    schema: spec.schema,
    read(value, at) {
      const found = spec.read(value, at);
      if (found === undefined) return undefined;
      const url = URL.canParse(found) ? new URL(found) : null;
      if (url === null || !['http:', 'https:'].includes(url.protocol) || url.username !== '' || url.password !== '') {
        return at.problem(
          'must be an https address without user and password in it.',
          'For example: https://login.example.com/oauth2/token',
        );
      }
      if (url.protocol === 'http:') at.warning('sends the client secret without encryption.', 'Use https.');
      return found;
    },
  };
}
