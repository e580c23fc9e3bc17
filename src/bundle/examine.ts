import { type Bundle, bundle } from './bundle.ts';
import { checkExports, type ServiceFacts } from './check-exports.ts';
import { DESCRIBE, descriptionOf } from './describe.ts';
import { Engine } from './engine.ts';
import { invalid } from './fault.ts';

/** A service that was found fit. */
export interface Examined extends Bundle {
  readonly facts: ServiceFacts;
}

/** How long a service may take to set itself up. */
const EVALUATE_MS = 5_000;
const SCRIPT_NAME = 'service.js';

/**
 * Makes a script of a service, runs it once in the engine of the VMs, and reads what it exports.
 * @throws SERVICE_INVALID naming file, line, value and remedy
 */
export async function examine(path: string): Promise<Examined> {
  const bundled = await bundle(path);
  const { file, script } = bundled;
  const engine = new Engine();
  engine.evaluate(script, SCRIPT_NAME, EVALUATE_MS);
  const description = descriptionOf(engine.evaluate(DESCRIBE, SCRIPT_NAME, EVALUATE_MS));
  if (description === undefined)
    throw invalid({ file }, 'it replaces functions of the language, such as those of JSON');
  const notes = [...bundled.notes];
  const facts = checkExports(file, description, notes);
  return { ...bundled, facts, notes };
}
