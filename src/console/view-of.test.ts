import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Facts } from './facts.ts';
import { anyFacts, factsOf, HINTS, snapshotOf, vmRow } from './kit/facts.ts';
import { plainText, widthOf } from './line.ts';
import { frameText } from './once.ts';
import { press, UI_AT_START, type Ui } from './ui.ts';
import type { Panel, Size, View } from './view.ts';
import { seenOf, viewOf } from './view-of.ts';

const SMALL: Size = { width: 80, height: 24 };
const LARGE: Size = { width: 200, height: 50 };

/** Names of keys, the ones that end it left out. */
const anyKeys = fc.array(
  fc.constantFrom('?', 's', 'p', 'l', 'enter', 'escape', 'up', 'down', 'pageup', 'pagedown', 'home', 'end', 'x'),
  { maxLength: 8 },
);
const anySize = fc.oneof(
  fc.record({ width: fc.nat(250), height: fc.nat(80) }),
  fc.record({ width: fc.nat(45), height: fc.nat(24) }),
);

describe('a view of any fleet on any terminal', () => {
  it('stays inside of the terminal and of its panels, and has nothing in it that steers a terminal', () => {
    fc.assert(
      fc.property(anyFacts, anyKeys, anySize, fc.array(fc.string({ unit: 'binary' })), (facts, keys, size, text) => {
        const ui = withText(afterKeys(facts, keys, size), text);
        const view = viewOf(facts, ui, size, HINTS);
        for (const panel of view.panels) checkPanel(panel, size);
        expect(new Set(view.panels.map(({ id }) => id)).size).toBe(view.panels.length);
      }),
    );
  });

  it('covers each cell once, but for an overlay', () => {
    fc.assert(
      fc.property(fc.integer({ min: 40, max: 260 }), fc.integer({ min: 8, max: 90 }), (width, height) => {
        const { panels } = viewOf(factsOf([]), UI_AT_START, { width, height }, HINTS);
        const cells = panels.reduce((total, { rect }) => total + rect.width * rect.height, 0);
        expect(cells).toBe(width * height);
      }),
    );
  });

  it('as one frame of text has no line that is too wide', () => {
    fc.assert(
      fc.property(anyFacts, fc.integer({ min: 1, max: 200 }), (facts, cells) => {
        for (const line of frameText(facts, HINTS, cells).split('\n')) {
          expect(line).not.toMatch(/\p{Cc}/u);
          expect(widthOf([{ text: line, tone: 'plain' }])).toBeLessThanOrEqual(cells);
        }
      }),
    );
  });
});

describe('on a terminal of 80 by 24', () => {
  const busy = vmRow(12, { state: 'ready', cpu: 87.6, in_flight: 3, served: 12_345, free_count: 4 });
  const facts = factsOf([snapshotOf([busy, vmRow(13, { state: 'booting', cpu: null, ram: null })])]);

  it('the header says which fleet it is, and how it is', () => {
    const [first, second] = textOf(viewOf(facts, UI_AT_START, SMALL, HINTS), 'header');
    expect(first).toMatch(/^ Shoal default {2}nats:\/\/127\.0\.0\.1:4222 +1 host {2}up 1m 01s $/);
    expect(second).toMatch(/^ 14\/16 addresses free .* shoal send "some text" $/);
  });

  it('all columns of a VM are there', () => {
    const [titles, row] = textOf(viewOf(facts, UI_AT_START, SMALL, HINTS), 'table');
    expect(titles?.trim().split(/ +/)).toEqual('VM↓ STATE ADDRESS HOST CPU RAM FLIGHT SERVED IDLE UPTIME'.split(' '));
    expect(row?.trim()).toMatch(/^12 +ready +127\.0\.1\.12:9000 +here +88% +1\.1M +3 +12\.3k +4 +1m 01s$/);
  });

  it('load and VMs are drawn over time', () => {
    const looks = Array.from({ length: 30 }, (_, index) =>
      snapshotOf([vmRow(1, { in_flight: index, cpu: index })], { waiting: index }),
    );
    const view = viewOf(factsOf(looks), UI_AT_START, SMALL, HINTS);
    expect(panelOf(view, 'chart-vms').plot?.bands[0]).toEqual({ tone: 'good', values: looks.map(() => 1) });
    expect(textOf(view, 'chart-load').join('\n')).toMatch(
      /in flight +29 +▂.*█\n.*waiting +29 +▂.*█\n.*mean CPU +29% +▁.*▃/,
    );
  });

  it('the newest events are at the bottom', () => {
    const events = Array.from(
      { length: 100 },
      (_, n) => ({ atMs: n * 1_000, text: `event ${n}`, tone: 'plain' }) as const,
    );
    const lines = textOf(viewOf(factsOf([], { events }), UI_AT_START, SMALL, HINTS), 'events');
    expect(lines.at(-1)).toBe(' 00:01:39 event 99');
    expect(lines[0]).toBe(' 00:01:36 event 96');
  });

  it('a lost connection is said in the header, with the reason', () => {
    const lost = factsOf([], { lost: 'nobody answers' });
    expect(textOf(viewOf(lost, UI_AT_START, SMALL, HINTS), 'header')[1]).toBe(
      ' connection lost, retrying: nobody answers',
    );
  });

  it('the reason why requests wait and no VM can be started is said there, too', () => {
    const blocked = factsOf([snapshotOf([], { waiting: 7, blocked: 'no address is free (R3): 0 of 4' })]);
    expect(textOf(viewOf(blocked, UI_AT_START, SMALL, HINTS), 'header')[1]).toBe(
      ' 7 waiting, no VM can be started: no address is free (R3): 0 of 4',
    );
  });

  it('an uptime that is not known is a dash', () => {
    const odd = factsOf([snapshotOf([vmRow(1, { uptime_ms: null })])]);
    expect(textOf(viewOf(odd, UI_AT_START, SMALL, HINTS), 'table')[1]?.trim()).toMatch(/ -$/);
  });

  it('a pause is said too', () => {
    expect(textOf(viewOf(facts, { ...UI_AT_START, paused: true }, SMALL, HINTS), 'header')[0]).toContain(' paused ');
  });

  it('the help is there as a whole: no line is cut, none is out of sight, also where q ends the fleet', () => {
    const help: Ui = { ...UI_AT_START, overlay: { kind: 'help', scroll: 0 } };
    const view = viewOf(facts, help, SMALL, { ...HINTS, quit: 'end the fleet' });
    const lines = textOf(view, 'overlay');
    expect(lines.join('\n')).not.toContain('…');
    expect(lines.at(-1)).toBe(' Times are UTC.');
    expect(lines).toContain(' IDLE: reports without load in a row; at free_count a VM is surplus.');
    expect(plainText(panelOf(view, 'overlay').title ?? [])).not.toContain('scroll');
    expect(textOf(view, 'footer')[0]).toMatch(/^ q end the fleet {2}\? help .* p pause *$/);
  });

  it('nothing of what is below stands beside an overlay', () => {
    const view = viewOf(facts, { ...UI_AT_START, overlay: { kind: 'help', scroll: 0 } }, SMALL, HINTS);
    expect(panelOf(view, 'overlay').rect).toMatchObject({ left: 0, width: SMALL.width });
  });

  it('a fleet without VMs says so', () => {
    expect(textOf(viewOf(factsOf([]), UI_AT_START, SMALL, HINTS), 'table')[1]).toBe(' No VM runs.');
  });
});

describe('on a larger one', () => {
  it('each kind of load has a chart of its own', () => {
    const ids = viewOf(factsOf([]), UI_AT_START, LARGE, HINTS).panels.map(({ id }) => id);
    expect(ids).toEqual(['header', 'chart-vms', 'chart-rate', 'chart-work', 'chart-cpu', 'table', 'footer', 'events']);
  });
});

describe('on a narrow one', () => {
  it.each([40, 60, 79])('at %i cells the notes of the help go on in the next line', (width) => {
    const size = { width, height: 40 };
    const lines = textOf(
      viewOf(factsOf([]), { ...UI_AT_START, overlay: { kind: 'help', scroll: 0 } }, size, HINTS),
      'overlay',
    );
    const notes = lines.slice(lines.findIndex((line) => line.startsWith(' Charts:')));
    expect(notes.join('')).toBe(
      ' Charts: a dot a second. In flight: on VMs. Waiting: on none yet. IDLE: reports without load in a row; at free_count a VM is surplus. Times are UTC.',
    );
  });
});

describe('on one that is too small', () => {
  it.each([
    [{ width: 39, height: 24 }, '39x24 is too small: 40x8 at least'],
    [{ width: 80, height: 3 }, '80x3 is too small: 40x8 at least'],
    [{ width: 9, height: 1 }, '9x1 is t…'],
  ])('one line says so: %j', (size, text) => {
    const { panels } = viewOf(factsOf([]), UI_AT_START, size, HINTS);
    expect(panels.map(({ lines }) => lines.map(plainText))).toEqual([[text]]);
  });
});

describe('the selected VM', () => {
  const vms = Array.from({ length: 100 }, (_, index) => vmRow(index + 1));
  const facts = factsOf([snapshotOf(vms)]);

  it('is in sight wherever it stands', () => {
    for (const selected of ['1', '2', '50', '99', '100']) {
      const { lines } = panelOf(viewOf(facts, { ...UI_AT_START, selected }, SMALL, HINTS), 'table');
      const shown = lines.filter((line) => line.every(({ tone }) => tone === 'selected')).map(plainText);
      expect(shown).toHaveLength(1);
      expect(shown[0]?.trim()).toMatch(new RegExp(`^${selected} `));
      expect(shown[0]).toHaveLength(78);
    }
  });

  it('is shown in detail with what came for it', () => {
    const overlay = { kind: 'inspect', vm: '7', text: ['state  ready', 'evil \u001b[2J'], scroll: 0 } as const;
    const view = viewOf(facts, { ...UI_AT_START, overlay }, SMALL, HINTS);
    expect(textOf(view, 'overlay')).toEqual([' state  ready', ' evil \ufffd[2J']);
    expect(plainText(panelOf(view, 'overlay').title ?? [])).toBe('VM 7  Esc closes');
  });

  it('has a log that is shown from its end', () => {
    const text = Array.from({ length: 100 }, (_, line) => `line ${line}`);
    const at = (scroll: number): string | undefined =>
      textOf(
        viewOf(facts, { ...UI_AT_START, overlay: { kind: 'logs', vm: '7', text, scroll } }, SMALL, HINTS),
        'overlay',
      ).at(-1);
    expect([at(0), at(3), at(1_000)]).toEqual([' line 99', ' line 96', ' line 19']);
  });
});

describe('the order of the table', () => {
  it('is by the column chosen, the largest figure first', () => {
    const vms = [vmRow(1, { cpu: 5 }), vmRow(2, { cpu: null }), vmRow(3, { cpu: 50 })];
    const view = viewOf(factsOf([snapshotOf(vms)]), { ...UI_AT_START, sort: 'cpu' }, SMALL, HINTS);
    const [titles, ...rows] = textOf(view, 'table');
    expect(titles).toContain('CPU↓');
    expect(rows.map((row) => row.trim().split(' ')[0])).toEqual(['3', '1', '2']);
  });
});

function afterKeys(facts: Facts, keys: readonly string[], size: Size): Ui {
  return keys.reduce((ui, key) => {
    const next = press(ui, key, seenOf(facts, ui, size, HINTS));
    return typeof next === 'string' ? ui : next;
  }, UI_AT_START);
}

function withText(ui: Ui, text: readonly string[]): Ui {
  const { overlay } = ui;
  return overlay === undefined || overlay.kind === 'help' ? ui : { ...ui, overlay: { ...overlay, text } };
}

function checkPanel({ rect, title, lines, plot }: Panel, size: Size): void {
  expect(Math.min(rect.left, rect.top, rect.width, rect.height)).toBeGreaterThanOrEqual(0);
  expect(rect.left + rect.width).toBeLessThanOrEqual(size.width);
  expect(rect.top + rect.height).toBeLessThanOrEqual(size.height);
  const edge = title === undefined ? 0 : 2;
  expect(lines.length).toBeLessThanOrEqual(Math.max(0, rect.height - edge));
  for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(rect.width - edge);
  if (title !== undefined) expect(widthOf(title)).toBeLessThanOrEqual(rect.width - 4);
  for (const line of [...lines, title ?? []]) expect(plainText(line)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
  if (plot === undefined) return;
  expect(plot.rect.left + plot.rect.width).toBeLessThanOrEqual(rect.width - 2);
  expect(plot.rect.top + plot.rect.height).toBeLessThanOrEqual(rect.height - 2);
  for (const { values } of plot.bands) expect(values.length).toBeLessThanOrEqual(plot.rect.width * 2);
}

function panelOf(view: View, id: string): Panel {
  const panel = view.panels.find((one) => one.id === id);
  if (panel === undefined) throw new Error(`there is no panel ${id}, only ${view.panels.map((one) => one.id)}`);
  return panel;
}

function textOf(view: View, id: string): readonly string[] {
  return panelOf(view, id).lines.map(plainText);
}
