/** How a destination is spoken to: encryption and login, checked, with nothing read from files yet. */
import type { Secret } from '../base/secret.ts';

export interface TlsConfig {
  /** PEM, with or without its armour lines, one or several certificates; null: the system's authorities. */
  readonly ca: Secret | null;
  /** The client's certificate, its chain after it; PEM likewise. */
  readonly cert: Secret | null;
  readonly key: Secret | null;
  readonly keyPassword: Secret | null;
  /** A PKCS#12 file with certificate and key, in their place. */
  readonly keyStore?: KeyStoreFile | null;
  /** `chain`: the certificate's chain is verified and its name is not. False: neither is, with a warning. */
  readonly verify: boolean | 'chain';
  /** The name asked for and verified in place of the broker's. */
  readonly serverName: string | null;
}

export interface KeyStoreFile {
  /** Absolute; read anew for new connections. */
  readonly path: string;
  readonly password: Secret | null;
}

export type SaslConfig = PasswordLogin | OauthLogin | IamLogin;

export interface PasswordLogin {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: Secret;
  readonly password: Secret;
}

export interface OauthLogin {
  readonly mechanism: 'oauthbearer';
  readonly from: OauthToken;
}

export type OauthToken =
  | { readonly kind: 'token'; readonly token: Secret; readonly extensions: Readonly<Record<string, string>> }
  /** Read anew at each login. */
  | { readonly kind: 'token_file'; readonly path: string; readonly extensions: Readonly<Record<string, string>> }
  | {
      readonly kind: 'unsecured';
      readonly principal: string;
      readonly scope: readonly string[];
      readonly lifeSeconds: number;
      readonly extensions: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: 'oidc';
      readonly tokenUrl: string;
      readonly clientId: string;
      readonly clientSecret: Secret;
      readonly scope: string | null;
      readonly audience: string | null;
      readonly extensions: Readonly<Record<string, string>>;
      /** PEM of the authority that signed the token server's certificate; null: the system's. */
      readonly ca: Secret | null;
    };

export interface IamLogin {
  readonly mechanism: 'aws-msk-iam';
  /** null: the default credential chain of AWS. */
  readonly keys: {
    readonly accessKeyId: Secret;
    readonly secretAccessKey: Secret;
    readonly sessionToken: Secret | null;
  } | null;
  readonly roleArn: string | null;
  /** null: taken from the broker's name. */
  readonly region: string | null;
}
