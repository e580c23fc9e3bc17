import { describe, expect, it } from 'vitest';
import { filled, press, type Seen, SORT_KEYS, UI_AT_START, type Ui } from './ui.ts';

const SEEN: Seen = { order: ['3', '1', '2'], rows: 3, overlayRows: 5, overlayLines: 20 };

function pressed(keys: readonly string[], seen: Partial<Seen> = {}, start: Ui = UI_AT_START): Ui {
  return keys.reduce((ui, key) => {
    const next = press(ui, key, { ...SEEN, ...seen });
    if (typeof next === 'string') throw new Error(`${key}: ${next}`);
    return next;
  }, start);
}

describe('keys', () => {
  it.each(['q', 'C-c'])('%s leaves, also from an overlay', (key) => {
    expect(press(UI_AT_START, key, SEEN)).toBe('quit');
    expect(press(pressed(['?']), key, SEEN)).toBe('quit');
  });

  it('Ctrl-Z suspends', () => {
    expect(press(pressed(['?']), 'C-z', SEEN)).toBe('suspend');
  });

  it('move the selection in the order of the table, and not past its ends', () => {
    expect(pressed(['down']).selected).toBe('3');
    expect(pressed(['down', 'down']).selected).toBe('1');
    expect(pressed(['down', 'down', 'down', 'down', 'down']).selected).toBe('2');
    expect(pressed(['end', 'up']).selected).toBe('1');
    expect(pressed(['end', 'home']).selected).toBe('3');
    expect(pressed(['pagedown']).selected).toBe('2');
    expect(pressed(['pagedown', 'pageup']).selected).toBe('3');
  });

  it('select nothing where no VM runs', () => {
    expect(pressed(['down', 'end', 'enter', 'l'], { order: [] })).toEqual(UI_AT_START);
  });

  it('stay on a VM when the order changes, and go to the first when it is gone', () => {
    const ui = pressed(['down', 'down']);
    expect(pressed(['down'], { order: ['1', '3', '2'] }, ui).selected).toBe('3');
    expect(pressed(['down'], { order: ['7', '8'] }, ui).selected).toBe('8');
  });

  it('s goes through all columns and comes back', () => {
    const sorts = SORT_KEYS.map((_, index) => pressed(Array.from({ length: index }, () => 's')).sort);
    expect(new Set(sorts).size).toBe(SORT_KEYS.length);
    expect(pressed(SORT_KEYS.map(() => 's'))).toEqual(UI_AT_START);
  });

  it('p pauses and goes on', () => {
    expect(pressed(['p']).paused).toBe(true);
    expect(pressed(['p', 'p']).paused).toBe(false);
  });

  it('open and close overlays', () => {
    expect(pressed(['?']).overlay?.kind).toBe('help');
    expect(pressed(['?', '?']).overlay).toBeUndefined();
    expect(pressed(['down', 'down', 'enter']).overlay).toMatchObject({ kind: 'inspect', vm: '1' });
    expect(pressed(['enter', 'l']).overlay).toMatchObject({ kind: 'logs', vm: '3' });
    expect(pressed(['l', 'escape']).overlay).toBeUndefined();
    expect(pressed(['l', 'l']).overlay).toBeUndefined();
  });

  it('scroll what is open: help and detail from their start, a log from its end', () => {
    expect(pressed(['?', 'down', 'down']).overlay?.scroll).toBe(2);
    expect(pressed(['?', 'up']).overlay?.scroll).toBe(0);
    expect(pressed(['?', 'end']).overlay?.scroll).toBe(15);
    expect(pressed(['l', 'up', 'up']).overlay?.scroll).toBe(2);
    expect(pressed(['l', 'home']).overlay?.scroll).toBe(15);
    expect(pressed(['l', 'home', 'end']).overlay?.scroll).toBe(0);
  });

  it('that mean nothing change nothing', () => {
    expect(pressed(['x', 'C-x', 'f5', 'left'])).toEqual(UI_AT_START);
  });
});

describe('what comes for an overlay', () => {
  it('is shown in it, and nowhere if it has been closed or changed', () => {
    const ui = pressed(['enter']);
    expect(filled(ui, 'inspect', '3', ['a']).overlay).toMatchObject({ text: ['a'] });
    expect(filled(ui, 'inspect', '1', ['a'])).toBe(ui);
    expect(filled(ui, 'logs', '3', ['a'])).toBe(ui);
    expect(filled(UI_AT_START, 'logs', '3', ['a'])).toBe(UI_AT_START);
  });
});
