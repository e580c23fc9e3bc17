/** Subjects of a fleet, and those of the NATS server itself: `$SYS`, `$JS.API`, `$SRV` and so on. */
const TAKEN = /^(?:\$|shoal\.[^.]+\.(?:process|events|hosts|params|telemetry|admin|every|host|claim)(?:\.|$))/;
const WILDCARD = /(?:^|\.)[*>](?:\.|$)/;

/**
 * Whether a reply may be published to this subject, which the client chose. Otherwise a client that may only send requests could make Shoal
 * publish with Shoal's permissions: a forged event, or a command to JetStream.
 */
export function isReplySubject(subject: string): boolean {
  if (subject === '' || TAKEN.test(subject)) return false;
  // Two searches are cheaper than the pattern, and hardly any subject needs it.
  return !(subject.includes('*') || subject.includes('>')) || !WILDCARD.test(subject);
}
