import type { AutoShutdown, Restart, Strategy } from '../mod.ts';

/** A worker, or a supervisor with its children. */
export interface Plan {
  readonly id: string;
  readonly restart: Restart;
  readonly significant: boolean;
  readonly team?: Team;
}

export interface Team {
  readonly strategy: Strategy;
  readonly intensity: number;
  readonly periodMs: number;
  readonly autoShutdown: AutoShutdown;
  readonly plans: readonly Plan[];
}

/**
 * The contract again, as plain as possible: a tree in which everything happens at once. The log gets each start (`+a`)
 * and end (`-a`).
 */
export class Model {
  readonly plan: Plan;
  readonly #log: string[];
  readonly #above: Model | undefined;
  #running = false;
  #children: Model[] = [];
  #restarts: number[] = [];

  constructor(plan: Plan, log: string[], above?: Model) {
    this.plan = plan;
    this.#log = log;
    this.#above = above;
  }

  get running(): boolean {
    return this.#running;
  }

  /** The running workers, in the order of their start. */
  get workers(): Model[] {
    if (this.plan.team === undefined) return this.#running ? [this] : [];
    return this.#children.flatMap((child) => child.workers);
  }

  start(): void {
    const { id, team } = this.plan;
    this.#running = true;
    this.#restarts = [];
    if (team === undefined) this.#log.push(`+${id}`);
    this.#children = (team?.plans ?? []).map((plan) => new Model(plan, this.#log, this));
    for (const child of this.#children) child.start();
  }

  stop(): void {
    if (!this.#running) return;
    this.#running = false;
    for (const child of [...this.#children].reverse()) child.stop();
    if (this.plan.team === undefined) this.#log.push(`-${this.plan.id}`);
  }

  /** It ends by itself. */
  end(failed: boolean, nowMs: number): void {
    this.stop();
    this.#above?.childEnded(this, failed, nowMs);
  }

  childEnded(child: Model, failed: boolean, nowMs: number): void {
    const { team } = this.plan;
    if (team === undefined) return;
    const { restart, significant } = child.plan;
    if (restart === 'temporary' || (restart === 'transient' && !failed)) {
      const others = this.#children.some((other) => other !== child && other.plan.significant && other.running);
      if (restart === 'temporary') this.#forget(child);
      const { autoShutdown } = team;
      if (significant && (autoShutdown === 'any_significant' || !others)) this.end(false, nowMs);
      return;
    }
    this.#restarts = [...this.#restarts, nowMs].filter((at) => nowMs - at <= team.periodMs);
    if (this.#restarts.length > team.intensity) return this.end(true, nowMs);
    const from = this.#children.indexOf(child);
    const group = { one_for_one: [child], one_for_all: this.#children, rest_for_one: this.#children.slice(from) };
    for (const one of [...group[team.strategy]].reverse()) {
      one.stop();
      if (one.plan.restart === 'temporary') this.#forget(one);
    }
    for (const one of group[team.strategy].filter((member) => this.#children.includes(member))) one.start();
  }

  #forget(child: Model): void {
    this.#children = this.#children.filter((other) => other !== child);
  }
}
