/** AWS MSK IAM at a real broker whose validator checks the signature of each token in Java, as MSK does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { systemClock } from '../../src/base/clock.ts';
import { Secret } from '../../src/base/secret.ts';
import { listTopics } from '../../src/kafka/index.ts';
import { HeadraceError, type IamLogin } from '../../src/model/index.ts';
import { jarsWith } from '../support/broker-classes.ts';
import { destinationAt } from '../support/delivery.ts';
import { ownKafka } from '../support/kafka.ts';
import { flowAndJudge, scenario } from '../support/scenario.ts';

const KEY = 'canary+of/IAM+secret';
const SESSION = 'canary/session+token==';

const options = [
  'region="eu-west-1"',
  `secret_AKIDKNOWN="${KEY}"`,
  `secret_ASIALENT="${KEY}"`,
  `session_ASIALENT="${SESSION}"`,
];
const kafka = await ownKafka({
  jars: jarsWith('IamValidator'),
  listeners: [
    {
      name: 'IAM',
      protocol: 'SASL_PLAINTEXT',
      properties: {
        'sasl.enabled.mechanisms': 'OAUTHBEARER',
        'oauthbearer.sasl.jaas.config': `org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required ${options.join(' ')};`,
        'oauthbearer.sasl.server.callback.handler.class': 'IamValidator',
        'oauthbearer.sasl.login.callback.handler.class': 'IamValidator',
      },
    },
  ],
});

function login(given: Partial<IamLogin> & { id?: string; secret?: string; session?: string } = {}): IamLogin {
  const { id = 'AKIDKNOWN', secret = KEY, session, ...rest } = given;
  const sessionToken = session === undefined ? null : new Secret(session);
  const keys = { accessKeyId: new Secret(id), secretAccessKey: new Secret(secret), sessionToken };
  return { mechanism: 'aws-msk-iam', keys, roleArn: null, region: 'eu-west-1', ...rest };
}

for (const [name, sasl] of [
  ['keys', login()],
  ['lent keys', login({ id: 'ASIALENT', session: SESSION })],
] as const)
  test(`delivers with ${name}, and Java reads it back`, async (t) => {
    const { result } = await flowAndJudge(t, scenario(t, `iam ${name}`), {
      bootstrap: kafka.bootstrap,
      through: kafka.bootstrapOf('IAM'),
      flow: { login: { protocol: 'sasl_plaintext', sasl } },
      messages: 300,
      keys: 20,
      partitions: [3],
    });
    assert.equal(result.delivered, 300);
  });

async function refusalOf(sasl: IamLogin): Promise<HeadraceError> {
  const destination = { ...destinationAt(kafka.bootstrapOf('IAM')), protocol: 'sasl_plaintext' as const, sasl };
  const error = await listTopics(destination, systemClock).then(
    () => assert.fail('it is not refused'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof HeadraceError, inspect(error));
  const shown = inspect(error, { depth: 20, showHidden: true });
  assert.ok(!shown.includes(KEY) && !shown.includes(SESSION), shown);
  return error;
}

const refused: Readonly<Record<string, IamLogin>> = {
  'a wrong secret': login({ secret: 'wrong' }),
  'an unknown key': login({ id: 'AKIDOTHER' }),
  'another region': login({ region: 'us-east-1' }),
  'lent keys without their session': login({ id: 'ASIALENT' }),
};
for (const [name, sasl] of Object.entries(refused))
  test(`refused in words: ${name}`, async () => {
    const error = await refusalOf(sasl);
    assert.equal(error.code, 'authentication_failed');
    assert.match(error.message, /The broker refused the IAM token of the given access key for (eu-west-1|us-east-1)/);
    assert.match(error.remedy!, /kafka-cluster:Connect.*region.*9098.*clock here, at \d{4}-/);
  });

test('refused in words: a broker whose name tells no region', async () => {
  const error = await refusalOf(login({ region: null }));
  assert.match(error.message, /region of AWS cannot be told from the broker's name 127\.0\.0\.1/);
});
