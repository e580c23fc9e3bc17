import { createHmac, timingSafeEqual } from 'node:crypto';
import { formatAddress, type Relay } from '../../fleet/mod.ts';

const MAC_BYTES = 16;
const SIGNED = /^([ -~]{1,300}) mac=([0-9a-f]{32})$/;
const FIELDS = /^(start|stop) vm=(\d{1,16}) addr=\S{1,60} through=(\d{1,16}) router=([0-9a-f]{16}) number=(\d{1,16})$/;

/** What a command says about itself, signed or not. */
export interface CommandFields {
  /** Of the router that made it. */
  readonly router: string;
  readonly number: number;
  readonly through: number;
}

/**
 * The line of a command that a guest relays (R10):
 * `start vm=7 addr=127.0.10.2:9000 through=3 router=<16 hex digits> number=12 mac=<32 hex digits>`. The mac is the first half of an
 * HMAC-SHA256 over all that stands before it. The key never leaves Shoal.
 */
export class CommandSigner {
  readonly #key: Buffer;

  /** @param secret survives a restart; it is not used as it is, so that its other uses tell nothing about this one */
  constructor(secret: Uint8Array) {
    this.#key = createHmac('sha256', secret).update('shoal relayed command 1').digest();
  }

  sign({ command, address, through }: Relay, router: string, number: number): string {
    const about = `${command.kind} vm=${command.vm} addr=${formatAddress(address)}`;
    const body = `${about} through=${through} router=${router} number=${number}`;
    return `${body} mac=${this.#mac(body).toString('hex')}`;
  }

  /** @returns undefined if the line is not one of a command; whether it is signed is compared in constant time */
  read(line: string): (CommandFields & { readonly isSigned: boolean }) | undefined {
    const [, body, mac] = SIGNED.exec(line) ?? [];
    if (body === undefined || mac === undefined) return undefined;
    const [, , , through, router, number] = FIELDS.exec(body) ?? [];
    if (router === undefined) return undefined;
    const isSigned = timingSafeEqual(this.#mac(body), Buffer.from(mac, 'hex'));
    return { router, number: Number(number), through: Number(through), isSigned };
  }

  #mac(body: string): Buffer {
    return createHmac('sha256', this.#key).update(body).digest().subarray(0, MAC_BYTES);
  }
}
