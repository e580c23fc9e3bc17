import type { Plugin } from 'rolldown';
import type { ShoalError } from '../errors.ts';
import { invalid } from './fault.ts';

/**
 * The bundler calls itself for each level of nested code, and takes the process with it where its stack ends: with the stack that `bundle`
 * gives it, at several times as much.
 */
const DEPTH_MAX = 10_000;
const QUOTED = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g;

/** Refuses files of the author's that nest too deeply to be read. */
export function nesting(onFault: (fault: ShoalError) => void): Plugin {
  return {
    name: 'shoal-nesting',
    transform: {
      order: 'pre',
      filter: { id: { exclude: /\/node_modules\// } },
      handler(code, id) {
        if (!nestsDeeper(code, DEPTH_MAX)) return;
        const fault = invalid(
          { file: id },
          `its brackets nest more than ${DEPTH_MAX} deep. Build what is so deep in a loop`,
        );
        onFault(fault);
        throw new Error(fault.message);
      },
    },
  };
}

/** Whether brackets nest deeper. It may take those in a regular expression or a template for brackets of the program. */
export function nestsDeeper(code: string, depthMax: number): boolean {
  return depthOf(code) > depthMax && depthOf(code.replace(QUOTED, '')) > depthMax;
}

function depthOf(code: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [bracket] of code.matchAll(/[([{}\])]/g)) {
    depth += '([{'.includes(bracket) ? 1 : -1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}
