import { type ErrorEnvelope, toEnvelope } from '../errors.ts';

export type CleanUp = () => undefined | void | Promise<void>;

/** The clean-up functions of an actor, which run before it is gone, the last registered first. */
export class CleanUps {
  /** The first failure. It does not keep the others from running. */
  failure: ErrorEnvelope | undefined;
  #before: CleanUp[] | undefined;
  #after: CleanUp[] | undefined;

  add(cleanUp: CleanUp, when: 'after-children' | 'before-children'): void {
    // A list that begins with what it holds takes no more room than that: most actors have one clean-up.
    if (when === 'before-children') this.#before = added(this.#before, cleanUp);
    else this.#after = added(this.#after, cleanUp);
  }

  async runBeforeChildren(): Promise<void> {
    for (let next = this.#before?.pop(); next !== undefined; next = this.#before?.pop()) await this.#run(next);
  }

  /** Runs all that are left, and those that are added meanwhile. Never rejects. */
  async runAll(): Promise<void> {
    for (let next = this.#next(); next !== undefined; next = this.#next()) await this.#run(next);
  }

  get isEmpty(): boolean {
    return (this.#before?.length ?? 0) === 0 && (this.#after?.length ?? 0) === 0;
  }

  /** Starts all that are left, and waits for none of them. */
  abandon(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) void this.#run(next);
  }

  #next(): CleanUp | undefined {
    return this.#before?.pop() ?? this.#after?.pop();
  }

  async #run(cleanUp: CleanUp): Promise<void> {
    try {
      await cleanUp();
    } catch (error) {
      this.failure ??= toEnvelope(error);
    }
  }
}

function added(list: CleanUp[] | undefined, cleanUp: CleanUp): CleanUp[] {
  if (list === undefined) return [cleanUp];
  list.push(cleanUp);
  return list;
}
