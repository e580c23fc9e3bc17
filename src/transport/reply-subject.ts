/** Subjects of a fleet, and those of the NATS server itself: `$SYS`, `$JS.API`, `$SRV` and so on. */
const TAKEN = /^(?:\$|shoal\.[^.]+\.(?:process|events|telemetry|admin)(?:\.|$))/;
const WILDCARD = /(?:^|\.)[*>](?:\.|$)/;

/**
 * Whether a reply may be published there. Whoever may send requests could otherwise have Shoal publish, with Shoal's permissions, where
 * they may not: a forged event, say, or a command to JetStream.
 */
export function isReplySubject(subject: string): boolean {
  if (subject === '' || TAKEN.test(subject)) return false;
  // Cheaper than the pattern, which hardly any subject needs.
  return !(subject.includes('*') || subject.includes('>')) || !WILDCARD.test(subject);
}
