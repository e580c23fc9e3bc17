import { type ErrorEnvelope, toEnvelope } from '../errors.ts';

export type CleanUp = () => undefined | void | Promise<void>;

/** A list whose first entry was registered last: most actors have one clean-up, or none. */
interface Registered {
  readonly cleanUp: CleanUp;
  readonly next: Registered | undefined;
}

/** The clean-up functions of an actor, which run before it is gone, the last registered first. */
export class CleanUps {
  /** The first failure. It does not keep the others from running. */
  failure: ErrorEnvelope | undefined;
  #before: Registered | undefined;
  #after: Registered | undefined;

  add(cleanUp: CleanUp, when: 'after-children' | 'before-children'): void {
    if (when === 'before-children') this.#before = { cleanUp, next: this.#before };
    else this.#after = { cleanUp, next: this.#after };
  }

  async runBeforeChildren(): Promise<void> {
    for (let next = this.#takeBefore(); next !== undefined; next = this.#takeBefore()) await this.#run(next);
  }

  /** Runs all that are left, and those that are added meanwhile. Never rejects. */
  async runAll(): Promise<void> {
    for (let next = this.#take(); next !== undefined; next = this.#take()) await this.#run(next);
  }

  get isEmpty(): boolean {
    return this.#before === undefined && this.#after === undefined;
  }

  /** Starts all that are left, and waits for none of them. */
  abandon(): void {
    for (let next = this.#take(); next !== undefined; next = this.#take()) void this.#run(next);
  }

  #take(): CleanUp | undefined {
    return this.#takeBefore() ?? this.#takeAfter();
  }

  #takeBefore(): CleanUp | undefined {
    const first = this.#before;
    this.#before = first?.next;
    return first?.cleanUp;
  }

  #takeAfter(): CleanUp | undefined {
    const first = this.#after;
    this.#after = first?.next;
    return first?.cleanUp;
  }

  async #run(cleanUp: CleanUp): Promise<void> {
    try {
      await cleanUp();
    } catch (error) {
      this.failure ??= toEnvelope(error);
    }
  }
}
