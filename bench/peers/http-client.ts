import { Agent, request } from 'node:http';

/** Sends requests over connections that are kept, at most so many at a time. */
export class HttpClient implements Disposable {
  readonly #origin: string;
  readonly #agent: Agent;

  constructor(origin: string, connectionsMax: number) {
    this.#origin = origin;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connectionsMax });
  }

  request(text: string, op: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const sent = request(`${this.#origin}/${op}`, { agent: this.#agent, method: 'POST' }, (answer) => {
      let body = '';
      answer.setEncoding('utf8');
      answer.on('data', (part: string) => {
        body += part;
      });
      answer.on('end', () => {
        if (answer.statusCode === 200) resolve(body);
        else reject(new Error(`${this.#origin} answered ${answer.statusCode}: ${body}`));
      });
      answer.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(text);
    return promise;
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}
