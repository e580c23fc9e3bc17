import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../actors/kit/mod.ts';
import type { Ref } from '../../actors/mod.ts';
import { VmLog } from './vm-log.ts';
import type { LogBatch } from './vm-messages.ts';

function open(): VmLog {
  return new VmLog({ vm: 7, logFolder: undefined, clock: new ManualClock(), publishSoon: () => undefined });
}

/** Notes what it is told. */
function follower(name: string): Ref<LogBatch> & { readonly told: string[] } {
  const told: string[] = [];
  const tell = ({ lines, ended }: LogBatch): boolean =>
    told.push([...lines.map(({ text }) => text), ...(ended ? ['the end'] : [])].join()) > 0;
  return { path: `/${name}`, tell, told };
}

describe('the log of a VM', () => {
  it('has sixteen followers at most: one more is told at once that it has ended', () => {
    const log = open();
    const followers = Array.from({ length: 17 }, (_, at) => follower(String(at)));
    for (const one of followers) log.follow(one);
    log.heard({ kind: 'log', text: 'a line' });
    log.publish();
    expect(followers.map(({ told }) => told)).toEqual([...Array.from({ length: 16 }, () => ['a line']), ['the end']]);
  });

  it('tells each line once, and nothing to those who have left', async () => {
    const log = open();
    const [stays, leaves] = [follower('stays'), follower('leaves')];
    log.follow(stays);
    log.follow(leaves);
    log.heard({ kind: 'log', text: 'one' });
    log.publish();
    log.unfollow(leaves);
    log.note('two');
    log.publish();
    await log.end();
    expect(stays.told).toEqual(['one', '[shoal] two', 'the end']);
    expect(leaves.told).toEqual(['one']);
  });
});
