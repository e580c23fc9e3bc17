import { parentPort } from 'node:worker_threads';
import { toEnvelope } from '../../errors.ts';
import { signatureOf } from '../../file-signature.ts';
import type { BuildNews, BuildOrder } from './build-messages.ts';
import { buildService } from './build-service.ts';

/** A thread of its own: a build computes for a while, and a service that never ends its set-up computes until it is cut off. */
const port = parentPort;
if (port === null) throw new Error('this module is for a worker thread');

const tell = (news: BuildNews): void => port.postMessage(news);

port.on('message', ({ source, output }: BuildOrder) => {
  const say = (line: string): void => tell({ kind: 'line', line });
  const onInput = (path: string): void => tell({ kind: 'input', path, signature: signatureOf(path) });
  buildService({ system: 'builtin', source, output, say, onInput }).then(
    (built) => tell({ kind: 'built', built }),
    (error: unknown) => tell({ kind: 'failed', error: toEnvelope(error) }),
  );
});
