import { type ErrorEnvelope, toEnvelope } from '../errors.ts';

export type CleanUp = () => undefined | void | Promise<void>;

/** The clean-up functions of an actor, which run before it is gone, the last registered first. */
export class CleanUps {
  /** The first failure. It does not keep the others from running. */
  failure: ErrorEnvelope | undefined;
  readonly #before: CleanUp[] = [];
  readonly #after: CleanUp[] = [];

  add(cleanUp: CleanUp, when: 'after-children' | 'before-children'): void {
    (when === 'before-children' ? this.#before : this.#after).push(cleanUp);
  }

  async runBeforeChildren(): Promise<void> {
    for (let next = this.#before.pop(); next !== undefined; next = this.#before.pop()) await this.#run(next);
  }

  /** Runs all that are left, and those that are added meanwhile. Never rejects. */
  async runAll(): Promise<void> {
    for (let next = this.#next(); next !== undefined; next = this.#next()) await this.#run(next);
  }

  get isEmpty(): boolean {
    return this.#before.length === 0 && this.#after.length === 0;
  }

  /** Starts all that are left, and waits for none of them. */
  abandon(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) void this.#run(next);
  }

  #next(): CleanUp | undefined {
    return this.#before.pop() ?? this.#after.pop();
  }

  async #run(cleanUp: CleanUp): Promise<void> {
    try {
      await cleanUp();
    } catch (error) {
      this.failure ??= toEnvelope(error);
    }
  }
}
