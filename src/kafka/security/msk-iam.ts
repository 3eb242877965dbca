/** AWS MSK IAM: a request to the cluster, signed with AWS credentials, is the token of an OAUTHBEARER login. */
import { isoTime, type Clock } from '../../base/clock.ts';
import { HeadraceError, type BrokerAddress, type IamLogin } from '../../model/index.ts';
import type { Mechanism } from './mechanism.ts';
import { IamCredentials, type Credentials } from './msk-iam-credentials.ts';
import { regionOf } from './msk-iam-region.ts';
import { bearerLogin } from './oauthbearer-exchange.ts';

export const awsMskIam: Mechanism<IamLogin> = (config, context) => {
  const credentials = new IamCredentials(config, context);
  const path = `destinations.${context.destination}.sasl`;
  return async (address) => {
    const region = config.region ?? regionFrom(address, path);
    const token = await signed(region, await credentials.get(region));
    return bearerLogin(
      {
        token,
        extensions: {},
        what: `the IAM token ${whose(config)} for ${region}`,
        remedy: remedyAt(context.clock),
        refused: () => credentials.drop(region),
      },
      context.destination,
      context.clock,
    );
  };
};

async function signed(region: string, credentials: Credentials): Promise<string> {
  const { generateAuthTokenFromCredentialsProvider } = await import('aws-msk-iam-sasl-signer-js');
  // Without their end: it would make a life with fractions of seconds of it, which is no valid request. AWS knows the end.
  const { expiration: _end, ...keys } = credentials;
  const { token } = await generateAuthTokenFromCredentialsProvider({
    region,
    awsCredentialsProvider: () => Promise.resolve(keys),
  });
  return token;
}

function regionFrom({ host }: BrokerAddress, path: string): string {
  const region = regionOf(host);
  if (region !== null) return region;
  throw new HeadraceError('config_invalid', `The region of AWS cannot be told from the broker's name ${host}.`, {
    path: `${path}.region`,
    remedy: 'Write the `region` of the cluster, e.g. `region: eu-west-1`, or the broker names that MSK gives.',
  });
}

function whose({ keys, roleArn }: IamLogin): string {
  if (roleArn !== null) return `of the role ${roleArn}`;
  return keys === null ? 'of the default credentials' : 'of the given access key';
}

/** MSK says no more than that access is denied: what it may be, clocks among them. */
function remedyAt(clock: Clock): string {
  return (
    'Allow kafka-cluster:Connect on the cluster in the IAM policy, check keys and `region`, and use the port of IAM ' +
    `(9098, from outside 9198). Also compare the clock here, at ${isoTime(clock.now())}: AWS takes five minutes of difference at most.`
  );
}
