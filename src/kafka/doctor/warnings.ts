/** Settings that work and should not stay: messages that can be lost (P4, P5), passwords in the open, certificates that end soon. */
import type { DestinationConfig } from '../../model/index.ts';
import type { ListedTopic } from '../topics/list.ts';
import { dateText, type CertificateFacts } from './tls.ts';

const NAMED_AT_MOST = 5;
const SOON_MS = 30 * 24 * 3_600_000;

/** What the destination alone tells. */
export function settingsWarnings({ enabled, protocol, tls, sasl, producer }: DestinationConfig): string[] {
  const warnings: string[] = [];
  if (!enabled) warnings.push('The destination is switched off.');
  if (protocol === 'sasl_plaintext')
    warnings.push(
      sasl?.mechanism.startsWith('scram-') === true
        ? 'Nothing is encrypted (sasl_plaintext): whoever listens on the way reads the messages. Use sasl_ssl.'
        : 'The password or token goes over the network in plain text (sasl_plaintext). Use sasl_ssl.',
    );
  if (tls?.verify === false)
    warnings.push('verify is off: whoever is on the way can pose as the broker. Set `tls: {ca: …}` instead.');
  if (tls?.verify === 'chain')
    warnings.push(
      "The broker's name is not verified (verify: chain): any server of the same authority can pose as it.",
    );
  if (producer.acks !== -1)
    warnings.push(
      `acks is ${producer.acks}, not all: a message ${producer.acks === 0 ? 'may be lost unnoticed' : 'that was answered can be lost when a broker fails'}.`,
    );
  return warnings;
}

/** Certificates that end within 30 days. */
export function certificateWarnings(
  shown: readonly { readonly what: string; readonly facts: CertificateFacts }[],
  nowMs: number,
): string[] {
  return shown
    .filter(({ facts }) => facts.untilMs - nowMs < SOON_MS)
    .map(({ what, facts }) => {
      const days = Math.floor((facts.untilMs - nowMs) / (24 * 3_600_000));
      const when =
        days < 0 ? `expired on ${dateText(facts.untilMs)}` : `expires in ${days} days, on ${dateText(facts.untilMs)}`;
      return `${what[0]!.toUpperCase()}${what.slice(1)} (${facts.subject}) ${when}: renew it.`;
    });
}

/** Settings of topics under which an acknowledged message can still be lost (P5). */
export function topicWarnings(topics: readonly ListedTopic[], brokers: number): string[] {
  const warnings: string[] = [];
  const warn = (concerned: readonly ListedTopic[], what: (names: string) => string): void => {
    if (concerned.length > 0) warnings.push(what(names(concerned)));
  };
  warn(
    topics.filter(({ replication }) => replication === 1),
    (list) =>
      brokers === 1
        ? `The cluster has one broker: what is written to ${list} is lost with its disk.`
        : `Replication is 1 for ${list}: messages are lost with the disk of one broker. Use 3.`,
  );
  warn(
    topics.filter(({ replication, minInSyncReplicas }) => replication > 1 && minInSyncReplicas === 1),
    (list) =>
      `min.insync.replicas is 1 for ${list}: a message may be acknowledged that only one broker holds. Use 2 with replication 3.`,
  );
  warn(
    topics.filter(({ uncleanElection }) => uncleanElection === true),
    (list) =>
      `unclean.leader.election.enable is on for ${list}: acknowledged messages are lost when an outdated replica becomes leader.`,
  );
  return warnings;
}

function names(topics: readonly ListedTopic[]): string {
  const shown = topics.slice(0, NAMED_AT_MOST).map(({ topic }) => topic);
  const more = topics.length - shown.length;
  return `${topics.length === 1 ? 'topic' : 'topics'} ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
