import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { testKit } from './kit/mod.ts';
import { createSystem, type Ref } from './mod.ts';

it('an actor, an adapter and the ref of a reply show their path, and nothing of the system behind them', async () => {
  await using kit = testKit();
  let adapter: Ref<number> | undefined;
  const ref = kit.system.spawn<Ref<string> | string>(
    (context) => {
      adapter = context.adapt<number>(String);
      return (message) => {
        if (typeof message === 'object') message.tell(inspect(message));
      };
    },
    { name: 'a' },
  );
  expect(inspect({ ref, adapter })).toBe('{ ref: Ref(/a), adapter: Ref(/a) }');
  expect(JSON.stringify({ ref, adapter })).toBe('{"ref":"/a","adapter":"/a"}');
  const asked = kit.system.ask(ref, (replyTo: Ref<string>) => replyTo, 1_000);
  expect(await asked).toBe('Ref(/a?)');
  expect(Object.keys(ref)).not.toContain('toJSON');
});

it('a dead letter in the log shows refs so', async () => {
  const lines: string[] = [];
  const logger = { warn: (line: string) => void lines.push(line), error: () => undefined };
  const system = createSystem({ logger });
  const ref = system.spawn<unknown>(() => () => undefined, { name: 'a' });
  await system.stop(ref);
  ref.tell({ replyTo: ref });
  await system.shutdown();
  expect(lines).toEqual(['dead letter from - to /a (stopped): { replyTo: Ref(/a) }']);
});
