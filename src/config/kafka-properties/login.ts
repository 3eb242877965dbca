/** `sasl.*`: what a login module says in JAAS, and how tokens are had. */
import { suggest } from '../../base/suggest.ts';
import { mechanismOf } from '../security-sasl.ts';
import { putIfGiven } from './encryption.ts';
import { readJaas, type Jaas, type LoginModule } from './jaas.ts';
import { printed, type Pasted, type Property } from './pasted.ts';

export function putLogin(pasted: Pasted): void {
  putJaas(pasted);
  putUnsecured(pasted);
  const method = pasted.get('sasl.oauthbearer.method');
  if (method !== undefined && !/^(?:oidc|default)$/i.test(method.text)) {
    method.at.problem('must be oidc or default.', 'Write oidc.');
  }
  const extensions = pasted.get('sasl.oauthbearer.extensions');
  if (extensions !== undefined) putExtensions(extensions, pasted);
  putIfGiven('https.ca.location', ['sasl', 'oidc', 'ca'], 'certificates', pasted);
}

/** `a=1,b=2` */
function putExtensions(property: Property, pasted: Pasted): void {
  for (const pair of property.text.split(',').filter((one) => one.trim() !== '')) {
    const equals = pair.indexOf('=');
    if (equals < 1) {
      property.at.problem('must be name=value pairs with commas between.', 'For example: logicalCluster=lkc-1');
      return;
    }
    const name = pair.slice(0, equals).trim();
    pasted.put(['sasl', 'extensions', name], pair.slice(equals + 1).trim(), property, { reread: null });
  }
}

/** librdkafka's tokens without a signature: `principal=app scope=a lifeSeconds=60 extension_x=y`. */
function putUnsecured(pasted: Pasted): void {
  const property = pasted.get('sasl.oauthbearer.config');
  if (property === undefined) return;
  for (const pair of property.text.split(/\s+/).filter((one) => one !== '')) {
    const [, name, value] = /^([A-Za-z_]+)=([^]*)$/.exec(pair) ?? [];
    const text = value?.replace(/^"([^]*)"$/, '$1');
    if (name === 'principal') pasted.put(['sasl', 'unsecured', 'principal'], text!, property);
    else if (name === 'scope') pasted.put(['sasl', 'unsecured', 'scope'], text!.split(',').join(' '), property);
    else if (name === 'lifeSeconds') pasted.put(['sasl', 'unsecured', 'life_seconds'], Number(text), property);
    else if (name?.startsWith('extension_'))
      pasted.put(['sasl', 'unsecured', 'extensions', name.slice('extension_'.length)], text!, property);
    else
      property.at.warning(
        'has a part that has no effect here.',
        'principal, scope, lifeSeconds and extension_NAME have.',
      );
  }
}

/** Options of each module, and the field of `sasl` that each is. */
const optionFields: Readonly<Record<LoginModule, Readonly<Record<string, readonly string[]>>>> = {
  plain: { username: ['username'], password: ['password'] },
  scram: { username: ['username'], password: ['password'] },
  oauthbearer: {
    clientId: ['oidc', 'client_id'],
    clientSecret: ['oidc', 'client_secret'],
    scope: ['oidc', 'scope'],
    unsecuredLoginStringClaim_sub: ['unsecured', 'principal'],
    unsecuredLoginListClaim_scope: ['unsecured', 'scope'],
    unsecuredLoginLifetimeSeconds: ['unsecured', 'life_seconds'],
  },
  iam: { awsRoleArn: ['role_arn'], awsStsRegion: ['region'] },
};
const idleOptions = ['awsDebugCreds', 'awsRoleSessionName', 'metadata', 'debug', 'serviceName'];

const mechanismsOf: Readonly<Record<LoginModule, readonly string[]>> = {
  plain: ['plain'],
  scram: ['scram-sha-256', 'scram-sha-512'],
  oauthbearer: ['oauthbearer'],
  iam: ['aws-msk-iam'],
};

function putJaas(pasted: Pasted): void {
  const property = pasted.get('sasl.jaas.config');
  if (property === undefined || property.text.trim() === '') return;
  const jaas = readJaas(property.text);
  if ('reason' in jaas) {
    property.at.problem(jaas.reason, jaas.remedy);
    return;
  }
  if (!hasMechanism(jaas, property, pasted)) return;
  for (const name of jaas.options.keys()) putOption(name, jaas, property, pasted);
}

/** False: the mechanism cannot be told, so that nothing else is said. */
function hasMechanism({ module }: Jaas, property: Property, pasted: Pasted): boolean {
  const possible = mechanismsOf[module];
  const written = pasted.value(['sasl', 'mechanism']);
  if (written !== undefined) {
    const mechanism = mechanismOf(printed(written));
    // A mechanism that nobody knows is told where it is read.
    if (mechanism === null || possible.includes(mechanism)) return true;
    const beside = pasted.get('sasl.mechanism') ?? pasted.get('sasl.mechanisms');
    const other = beside === undefined ? 'sasl.mechanism` beside `kafka' : beside.name;
    property.at.problem(
      `contradicts \`${other}\`: the login module is for ${possible.join(' and ')}.`,
      'Change one of the two.',
    );
    return true;
  }
  if (possible.length > 1) {
    property.at.problem('needs `sasl.mechanism` beside it.', 'Add sasl.mechanism=SCRAM-SHA-512, or SCRAM-SHA-256.');
    return false;
  }
  pasted.put(['sasl', 'mechanism'], possible[0]!, property, { reread: null });
  return true;
}

function putOption(name: string, { module, options }: Jaas, property: Property, pasted: Pasted): void {
  const text = options.get(name)!;
  const known = optionFields[module];
  const near = suggest(name, Object.keys(known));
  const reread = property.reread === null ? null : (): string | null => optionNow(property, name);
  if (Object.hasOwn(known, name)) {
    const value = name === 'unsecuredLoginLifetimeSeconds' && /^\d{1,9}$/.test(text) ? Number(text) : text;
    pasted.put(['sasl', ...known[name]!], value, property, { reread });
  } else if (module === 'oauthbearer' && name.startsWith('extension_')) {
    const isOidc = pasted.value(['sasl', 'unsecured']) === undefined;
    const extensions = isOidc ? ['extensions'] : ['unsecured', 'extensions'];
    pasted.put(['sasl', ...extensions, name.slice('extension_'.length)], text, property, { reread });
  } else if (module === 'plain' && name.startsWith('user_')) {
    property.at.warning('has users of a broker, which have no effect here.', 'Take them out.');
  } else if (name === 'awsProfileName') {
    property.at.problem(
      'names a profile of AWS, which is not read from here.',
      'Set the environment variable AWS_PROFILE, and take awsProfileName out.',
    );
  } else if (name === 'tokenauth' && text !== 'false') {
    property.at.problem('asks for delegation tokens, which are not supported.', 'Log in by user name and password.');
  } else if (!idleOptions.includes(name) && name !== 'tokenauth') {
    property.at.warning(
      // Promise 8: not by its name, which is part of a password where that has no quotes.
      `has an option (number ${[...options.keys()].indexOf(name) + 1}) that is not known here, and has no effect.`,
      near === null ? `Known: ${Object.keys(known).join(', ')}.` : `Did you mean \`${near}\`?`,
    );
  }
}

function optionNow(property: Property, name: string): string | null {
  const text = property.reread?.() ?? null;
  const jaas = text === null ? null : readJaas(text);
  return jaas === null || 'reason' in jaas ? null : (jaas.options.get(name) ?? null);
}
