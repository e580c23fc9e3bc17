import { expect, test } from 'vitest';
import { systemClock } from '../actors/mod.ts';
import type { FleetEvent } from '../fleet/mod.ts';
import { FleetFollower, type Place } from './fleet-follower.ts';
import { fakeFleet } from './testing/fake-fleet.ts';

const eventAt = (atMs: number): FleetEvent => ({ atMs, kind: 'vm-ready', text: `event ${atMs}` });

/** What is told, to be waited for. */
class Told {
  readonly lines: string[] = [];
  #wake: () => void = () => undefined;

  add(line: string): void {
    this.lines.push(line);
    this.#wake();
  }

  async until(line: string): Promise<void> {
    while (!this.lines.includes(line)) await new Promise<void>((resolve) => (this.#wake = resolve));
  }
}

const follow = (place: Place, told: Told): Promise<FleetFollower> =>
  FleetFollower.open({
    find: () => place,
    name: 'test',
    eventsAtStart: 1,
    clock: systemClock,
    onEvent: ({ text }) => told.add(text),
    look: async ({ ask }) => void (await ask('events', { count: 1 })),
    onLost: () => told.add('lost'),
    onBack: () => told.add('back'),
  });

test('the latest, then what comes; after a loss what is known of the time between; nothing twice', async () => {
  await using fleet = await fakeFleet();
  fleet.events.push(eventAt(1), eventAt(2));
  const told = new Told();
  const follower = await follow(fleet.place, told);
  const following = follower.follow();
  await told.until('event 2');
  fleet.publish(eventAt(3));
  await told.until('event 3');
  await fleet.stop();
  await told.until('lost');
  // Of the same moment as the last that was told, and a later one.
  fleet.events.push({ ...eventAt(3), text: 'another event 3' }, eventAt(4));
  await fleet.start();
  await told.until('event 4');
  fleet.publish(eventAt(5));
  await told.until('event 5');
  await follower.close();
  await following;
  const lines = told.lines.filter((line, index, all) => line !== 'lost' || all[index - 1] !== 'lost');
  expect(lines).toEqual(['event 2', 'event 3', 'lost', 'back', 'another event 3', 'event 4', 'event 5']);
});

test('a fleet that nobody serves at the first look is an error', async () => {
  await using fleet = await fakeFleet();
  await fleet.stop();
  await expect(follow(fleet.place, new Told())).rejects.toMatchObject({ code: 'FLEET_NOT_RUNNING' });
});

test('a server that answers with something else is an error that says so', async () => {
  await using fleet = await fakeFleet({ events: () => Promise.resolve({ events: 'none' }) });
  await expect(follow(fleet.place, new Told())).rejects.toMatchObject({ code: 'NATS_MESSAGE_INVALID' });
});
