import vm from 'node:vm';

/** Provisional: replaced by the engine of the VMs. */
export class Engine {
  readonly #context = vm.createContext({});

  evaluate(script: string, name: string, limitMs: number): string {
    const value: unknown = new vm.Script(script, { filename: name }).runInContext(this.#context, { timeout: limitMs });
    return String(value);
  }
}
