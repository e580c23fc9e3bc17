import type { NatsConnection } from 'nats';
import type { News } from '../fleet/mod.ts';
import { subjectsOf } from '../transport/mod.ts';

const KEPT_MAX = 1_000;

/** The latest news, for who asks, and all news as they come, for who listens on the subject of events. */
export class NewsBoard {
  readonly #kept: News[] = [];
  readonly #listeners: ((news: News) => void)[] = [];

  add(news: News): void {
    this.#kept.push(news);
    if (this.#kept.length > KEPT_MAX) this.#kept.shift();
    for (const listener of this.#listeners) listener(news);
  }

  listen(listener: (news: News) => void): void {
    this.#listeners.push(listener);
  }

  /** Oldest first. */
  latest(count: number, vm?: number): readonly News[] {
    const wanted = vm === undefined ? this.#kept : this.#kept.filter((news) => news.vm === vm);
    return wanted.slice(-count);
  }

  publishOn(nc: NatsConnection, fleet: string): void {
    const subject = subjectsOf(fleet).events;
    this.listen((news) => {
      // While the connection is away nobody listens, and the news are kept here.
      if (!nc.isClosed()) nc.publish(subject, JSON.stringify(news));
    });
  }
}
