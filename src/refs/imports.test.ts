import { expect, it } from 'vitest';
import { Imports } from './imports.ts';
import type { Channel, RemoteRef } from './remote-ref.ts';

it('a ref that was sent a message since it asked for a direct way stays on the old one', () => {
  let asked = 0;
  const went: string[] = [];
  const channelOf = (name: string): Channel => {
    const used = {
      closed: undefined,
      tell: () => went.push(name) > 0,
      askRoute: () => {
        asked += 1;
        return asked;
      },
    };
    // A ref uses nothing else of its channel here.
    return used as unknown as Channel;
  };
  const imports = new Imports(channelOf('main'), () => undefined);
  const direct = { channel: channelOf('direct'), id: -1 };
  // The channels take anything.
  const ref = imports.get(5, '/b') as RemoteRef<unknown>;
  imports.mayRoute(5);
  ref.tell(0);
  ref.tell(1);
  expect(imports.route(5, direct, 1)).toBe(false);
  // This one asks again, and nothing follows it.
  ref.tell(2);
  expect(imports.route(5, direct, 2)).toBe(true);
  ref.tell(3);
  expect(went).toEqual(['main', 'main', 'main', 'direct']);
});
