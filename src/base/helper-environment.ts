/** The environment of a process that Headrace starts for itself: what Node, TLS and AWS need, and none of its own secrets. */

const needed =
  /^(?:PATH|HOME|USER|LOGNAME|USERPROFILE|SYSTEMROOT|WINDIR|TMPDIR|TEMP|TMP|TZ|LANG|LC_\w+|NODE_\w+|SSL_CERT_FILE|SSL_CERT_DIR|OPENSSL_\w+|AWS_\w+)$/i;
const awsSecrets = /^AWS_(?:SECRET_ACCESS_KEY|SESSION_TOKEN|CONTAINER_AUTHORIZATION_TOKEN|BEARER_TOKEN_\w+)$/i;

/**
 * Variables that `${NAME}` of a configuration may read are among the others: whoever can list processes could read them
 * there once more. `awsCredentials`: the helper itself looks for the keys of AWS in its environment.
 */
export function helperEnvironment({ awsCredentials }: { readonly awsCredentials: boolean }): NodeJS.ProcessEnv {
  const names = Object.keys(process.env).filter(
    (name) => needed.test(name) && (awsCredentials || !awsSecrets.test(name)),
  );
  return Object.fromEntries(names.map((name) => [name, process.env[name]]));
}
