import type { IncomingMessage } from 'node:http';

/**
 * Reads the body of a request.
 * @param mayHold asked before each further piece is kept
 * @returns what went wrong in its place: `refused` if it may not be held, `gone` if the client has left
 */
export function readBody(
  request: IncomingMessage,
  mayHold: (bytes: number) => boolean,
): Promise<Uint8Array | 'refused' | 'gone'> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    let bytes = 0;
    const settle = (result: Uint8Array | 'refused' | 'gone'): void => {
      request.off('data', take);
      resolve(result);
      // The request is kept until its answer has been read.
      pieces.length = 0;
    };
    const take = (piece: Buffer): void => {
      if (!mayHold(piece.length)) {
        settle('refused');
        return;
      }
      pieces.push(piece);
      bytes += piece.length;
    };
    request.on('data', take);
    // Even a single piece is copied: it is a part of what came with it, all of which it would keep in memory.
    request.once('end', () => settle(Buffer.concat(pieces, bytes)));
    request.once('error', () => settle('gone'));
    request.once('close', () => settle('gone'));
  });
}
