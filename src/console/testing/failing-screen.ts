/** A program that takes the terminal and then fails, in the way that its argument says. */
import { Screen } from '../screen.ts';

const screen = new Screen({ colours: true, onKey: fail, onResize: () => undefined, onGone: fail });
const { size } = screen;
screen.draw({
  size,
  panels: [{ id: 'panel', rect: { left: 0, top: 0, ...size }, title: [], lines: [[text('drawn')]] }],
});

function fail(): void {
  const error = new Error('it failed');
  if (process.argv[2] === 'rejects') void Promise.reject(error);
  else throw error;
}

function text(content: string): { readonly text: string; readonly tone: 'plain' } {
  return { text: content, tone: 'plain' };
}
