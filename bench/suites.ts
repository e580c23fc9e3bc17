import { actorsSuite } from './actors-suite.ts';
import type { Row } from './compare.ts';
import { gatewaysSuite } from './gateways-suite.ts';
import { guestsSuite } from './guests-suite.ts';
import { hostsSuite } from './hosts-suite.ts';
import { mainSuite } from './main-suite.ts';
import { partsSuite } from './parts-suite.ts';
import { policySuite } from './policy-suite.ts';
import { servicesSuite } from './services-suite.ts';
import { shardsSuite } from './shards-suite.ts';

/** A suite yields its rows one by one; `wanted` selects the claims to measure. `images` are for the suite of guests. */
export type Suite = (wanted: (name: string) => boolean, images: readonly string[]) => AsyncIterable<Row>;

export const SUITES: Readonly<Record<string, Suite>> = {
  main: mainSuite,
  parts: partsSuite,
  actors: actorsSuite,
  shards: shardsSuite,
  policy: policySuite,
  hosts: hostsSuite,
  guests: guestsSuite,
  gateways: gatewaysSuite,
  services: servicesSuite,
};
