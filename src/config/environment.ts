/** The environment, read once: the only place that knows `process.env`. */
import { isAddressRange } from '../base/address-guard.ts';
import { Secret } from '../base/secret.ts';
import { HeadraceError } from '../model/index.ts';
import type { ReferenceSource } from './references.ts';
import { oneOfList } from './values.ts';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

type Variables = Readonly<Record<string, string | undefined>>;

export interface Environment {
  /** HEADRACE_DATA: the data folder where `--data` names none. */
  readonly dataFolder: string | null;
  /** PORT */
  readonly port: number | null;
  /** HEADRACE_HOST */
  readonly host: string | null;
  /** DATABASE_URL: PostgreSQL for the own state; null: SQLite. */
  readonly databaseUrl: Secret | null;
  /** KAFKA_BROKERS: brokers to use in place of the local ones, as written. */
  readonly kafkaBrokers: string | null;
  /** HEADRACE_TOKEN: opens the API. */
  readonly token: Secret | null;
  /** HEADRACE_SECRET_KEY: seals secrets in the state. */
  readonly secretKey: Secret | null;
  /** HEADRACE_ALLOWED_ADDRESSES: nothing else is connected to; null: no list. */
  readonly allowedAddresses: readonly string[] | null;
  /** LOG_LEVEL */
  readonly logLevel: LogLevel;
  /** NO_COLOR: set and not empty, no colours. */
  readonly noColor: boolean;
  /** CI */
  readonly ci: boolean;
  /** What `${NAME}` in the configuration reads. */
  readonly references: ReferenceSource;
  /** Everything, to hand on to child processes. */
  readonly variables: Variables;
}

/** Reads the settings; a variable that is empty counts as not set. Throws HeadraceError `config_invalid`. */
export function readEnvironment(variables: Variables = process.env): Environment {
  const get = (name: string): string | null => variables[name]?.trim() || null;
  const secret = (name: string): Secret | null => {
    const value = get(name);
    return value === null ? null : new Secret(value);
  };
  const flag = (name: string): boolean => !['', '0', 'false'].includes(get(name)?.toLowerCase() ?? '');
  return {
    dataFolder: get('HEADRACE_DATA'),
    port: readPort(get('PORT')),
    host: get('HEADRACE_HOST'),
    databaseUrl: secret('DATABASE_URL'),
    kafkaBrokers: get('KAFKA_BROKERS'),
    token: secret('HEADRACE_TOKEN'),
    secretKey: secret('HEADRACE_SECRET_KEY'),
    allowedAddresses: readRanges(get(ALLOWED)),
    logLevel: readLogLevel(get('LOG_LEVEL')),
    noColor: get('NO_COLOR') !== null,
    ci: flag('CI'),
    references: {
      variable: (name) => (Object.hasOwn(variables, name) ? variables[name] : undefined),
      variableNames: () => Object.keys(variables),
    },
    variables,
  };
}

function readPort(text: string | null): number | null {
  if (text === null) return null;
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new HeadraceError('config_invalid', `PORT must be a number from 0 to 65535, and is ${JSON.stringify(text)}.`, {
    path: 'PORT',
    remedy: 'For example: PORT=8080',
  });
}

const ALLOWED = 'HEADRACE_ALLOWED_ADDRESSES';

function readRanges(text: string | null): readonly string[] | null {
  if (text === null) return null;
  const ranges = text.split(/[\s,]+/).filter((one) => one !== '');
  const wrong = ranges.find((one) => !isAddressRange(one));
  if (wrong === undefined) return ranges;
  throw new HeadraceError(
    'config_invalid',
    `${ALLOWED} names ${JSON.stringify(wrong)}, which is no range of addresses.`,
    {
      path: ALLOWED,
      remedy: `Name addresses and ranges with commas between, no host names. For example: ${ALLOWED}=10.0.0.0/8,192.168.1.7`,
    },
  );
}

function readLogLevel(text: string | null): LogLevel {
  if (text === null) return 'info';
  const level = logLevels.find((one) => one === text.toLowerCase());
  if (level !== undefined) return level;
  throw new HeadraceError('config_invalid', `LOG_LEVEL is ${JSON.stringify(text)}.`, {
    path: 'LOG_LEVEL',
    remedy: `Write ${oneOfList(logLevels)}.`,
  });
}
