import type { Msg } from 'nats';
import type { News } from '../fleet/mod.ts';

/** The news that a message on the subject of events has; undefined for what is none: anybody may publish there. */
export function newsIn(message: Pick<Msg, 'json'>): News | undefined {
  try {
    const news = message.json<Partial<News> | null>();
    if (typeof news?.atMs !== 'number' || typeof news.text !== 'string' || typeof news.kind !== 'string')
      return undefined;
    // Beyond what a date can be, it could not be shown.
    if (Number.isNaN(new Date(news.atMs).getTime())) return undefined;
    return { ...news, atMs: news.atMs, text: news.text, kind: news.kind };
  } catch {
    return undefined;
  }
}
