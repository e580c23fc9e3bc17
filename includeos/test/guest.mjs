// One real guest in QEMU, and a client that speaks frames to it: the only ways in which the image tests touch either.
// run.mjs chooses the image; without it, it is the built-in one.
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { accessSync, constants, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { connect, createServer, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const bootTimeoutMs = 60_000;
const answerTimeoutMs = 60_000;

export const FrameType = {
  request: 1,
  reply: 2,
  error: 3,
  ping: 4,
  pong: 5,
  cancel: 6,
  relay: 7,
  typedRequest: 8,
  typedReply: 9,
};

/** The machine that the image under test needs; docs/images.md explains the fields. */
export const profile = {
  machine: 'microvm',
  networkDevice: 'virtio-net-device',
  commandLine:
    'shoal.id={id} shoal.bind={bind} shoal.gw={gw} shoal.port={port} shoal.addr={addr} shoal.status_ms={statusMs} shoal.max={max}',
  memoryMib: 16,
  accelerators: ['kvm', 'tcg'],
  powerOff: { by: 'isa-debug-exit' },
  ...JSON.parse(process.env.SHOAL_GUEST_PROFILE ?? '{}'),
};

/** Those that the image runs under: kvm only where this process may use it. */
export function accelerators() {
  const possible = ['tcg', 'kvm'].filter((name) => profile.accelerators.includes(name));
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return possible;
  } catch {
    return possible.filter((name) => name !== 'kvm');
  }
}

/** What QEMU ends with. Without isa-debug-exit a guest powers off, whatever the reason. */
export const exitCodes =
  profile.powerOff.by === 'isa-debug-exit'
    ? { stop: 67, badArgument: 69, panic: 71 }
    : { stop: 0, badArgument: 0, panic: 0 };

const machines = {
  microvm: [
    ['-M', 'microvm,acpi=off,pit=off,pic=off,rtc=off,isa-serial=on,auto-kernel-cmdline=on'],
    ['-global', 'virtio-mmio.force-legacy=false'],
  ],
  pc: [['-M', 'pc,usb=off,vmport=off']],
  q35: [['-M', 'q35,usb=off,vmport=off']],
};

const networkCards = {
  'virtio-net-device': 'virtio-net-device,netdev=n',
  'virtio-net-pci': 'virtio-net-pci,netdev=n,romfile=',
};

/** What a guest without a network is not told. */
const ofNetworks = ['shoal.bind', 'shoal.gw', 'shoal.port'];

/** The command line by the profile's template, with some words in the place of its own, or without them. */
function commandLine(values, settings, drop) {
  const words = profile.commandLine.replaceAll(/\{(\w+)\}/g, (_, name) => String(values[name])).split(' ');
  const changed = words.map((word) => {
    const [key] = word.split('=', 1);
    return key in settings ? `${key}=${settings[key]}` : word;
  });
  return changed.filter((word) => !drop.includes(word.split('=', 1)[0])).join(' ');
}

function within(ms, promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${ms} ms`)), ms);
    timer.unref(); // a wait that nobody is interested in any more does not keep the process
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** A port of a loopback address of our own that nobody else uses. */
async function freePort(host) {
  const server = createServer();
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, host, resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export class Guest {
  /**
   * @param network `none`: a port for the link in the place of the network card, of another name if `port` is false
   * @param console `uart`, or `virtio`: one beside it, as Shoal gives it
   */
  static async start({
    image,
    accelerator = accelerators()[0],
    memoryMib = profile.memoryMib,
    settings = {},
    drop = [],
    card = true,
    network = 'user',
    port: hasPort = true,
    console: consoleKind = 'virtio',
    initrd = profile.companion,
  }) {
    const host = '127.0.213.1';
    const port = await freePort(host);
    const folder = mkdtempSync(join(tmpdir(), 'sp-'));
    const hasNetwork = network !== 'none';
    const key = randomBytes(16).toString('hex');
    const inside = { bind: '10.0.2.15/24', ip: '10.0.2.15', netmask: '255.255.255.0', gw: '10.0.2.2', port: 9000 };
    const told = { ...inside, id: 1, addr: `${host}:${port}`, statusMs: 200, max: 1048576 };
    const forward = `user,id=n,restrict=on,hostfwd=tcp:${host}:${port}-:9000`;
    const words = commandLine(told, settings, hasNetwork ? drop : [...drop, ...ofNetworks]);
    const link = hasNetwork ? '' : ` shoal.link=${settings['shoal.link'] ?? key}`;
    const hasConsole = consoleKind === 'virtio' && profile.machine === 'microvm';
    const lines = hasConsole ? await openPipe(join(folder, 'lines')) : undefined;
    const child = spawn(
      'qemu-system-x86_64',
      [
        ['-accel', accelerator],
        ...machines[profile.machine],
        ['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none'],
        ['-cpu', 'max,-arch-capabilities'],
        ['-m', String(memoryMib), '-kernel', image, '-append', `${words}${link}`],
        initrd === undefined ? [] : ['-initrd', initrd],
        ['-serial', 'stdio'],
        hasNetwork && card ? ['-netdev', forward, '-device', networkCards[profile.networkDevice]] : [],
        hasNetwork && hasConsole ? ['-device', 'virtio-serial-device,max_ports=1', ...consoleOptions(folder)] : [],
        hasNetwork ? [] : portOptions(folder, hasPort, hasConsole),
        ['-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04'],
      ].flat(),
      { stdio: ['pipe', 'pipe', 'pipe'] },
    );
    return new Guest(child, host, port, folder, key, lines);
  }

  constructor(child, host, port, folder, key, lines) {
    this.child = child;
    this.lines = lines;
    this.folder = folder;
    this.key = key;
    this.host = host;
    this.port = port;
    this.output = '';
    this.stderr = '';
    this.clients = [];
    this.listeners = new Set();
    const print = (text) => {
      this.output += text;
      for (const listener of this.listeners) listener();
    };
    child.stdout.setEncoding('latin1').on('data', print);
    lines?.setEncoding('latin1').on('data', print);
    child.stderr.on('data', (text) => {
      this.stderr += text;
    });
    child.stdin.on('error', () => {});
    this.exited = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        // What the pipe still holds is read in between.
        setImmediate(() => setImmediate(resolve, { code, signal }));
      });
    });
  }

  /** Waits until `look()` finds something on the console; resolves with it. */
  async until(look, what) {
    let listener;
    const found = new Promise((resolve) => {
      listener = () => {
        const result = look();
        if (result) resolve(result);
      };
      this.listeners.add(listener);
      listener();
    });
    const gone = this.exited.then(({ code }) => {
      const result = look();
      if (result) return result;
      throw new Error(
        `the guest ended with ${code} before ${what}; its console: ${this.output.slice(-500)} ${this.stderr}`,
      );
    });
    return within(bootTimeoutMs, Promise.race([found, gone]), what).finally(() => this.listeners.delete(listener));
  }

  /** Waits until the console has that, from `from` on; resolves with the match. */
  seen(pattern, from = 0) {
    return this.until(() => this.output.slice(from).match(pattern), `${pattern} on the console`);
  }

  ready() {
    return this.seen(/\nshoal1 ready .*\n/);
  }

  type(text) {
    this.child.stdin.write(text);
  }

  async connect() {
    const client = new Client(connect({ host: this.host, port: this.port, noDelay: true, allowHalfOpen: true }));
    this.clients.push(client);
    await within(answerTimeoutMs, client.opened, 'connecting');
    return client;
  }

  /** A connection over the port that has not said anything yet. */
  async connectPort() {
    const path = join(this.folder, 'link.sock');
    await this.until(() => existsSync(path), 'the socket of the port');
    const client = new Client(connect({ path }));
    this.clients.push(client);
    await within(answerTimeoutMs, client.opened, 'connecting');
    return client;
  }

  /** A connection over the port that is open, with all that came before the guest's answer to the opening. */
  async openPort() {
    const client = await this.connectPort();
    const before = await client.open(this.key);
    return { client, before };
  }

  /** The exit code of QEMU. */
  async exitCode() {
    const { code } = await within(bootTimeoutMs, this.exited, 'the end of QEMU');
    return code;
  }

  async end() {
    for (const client of this.clients) client.socket.destroy();
    if (this.child.exitCode === null) this.child.kill('SIGKILL');
    await this.exited;
    this.lines?.destroy();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A named pipe that QEMU writes to. */
async function openPipe(path) {
  execFileSync('mkfifo', [path]);
  // Open for both, so that neither end waits for the other.
  return new Socket({ fd: openSync(path, constants.O_RDWR | constants.O_NONBLOCK), readable: true, writable: false });
}

function consoleOptions(folder) {
  return ['-chardev', `file,id=lines,path=${join(folder, 'lines')},append=on`, '-device', 'virtconsole,chardev=lines'];
}

function portOptions(folder, hasPort, hasConsole) {
  return [
    ...['-chardev', `socket,id=link,path=${join(folder, 'link.sock')},server=on,wait=off`],
    ...['-device', 'virtio-serial-device,max_ports=2'],
    ...(hasConsole ? consoleOptions(folder) : []),
    ...['-device', `virtserialport,chardev=link,name=${hasPort ? 'shoal.link' : 'another'}`],
  ];
}

/** `contentType`: of a typed request; '' if none is known. */
export function encode({
  type = FrameType.request,
  id = 0n,
  operation = '',
  token = '',
  payload = '',
  contentType = '',
}) {
  const typed = type === FrameType.typedRequest ? `${String.fromCharCode(contentType.length)}${contentType}` : '';
  const body = [operation, token, Buffer.from(typed, 'latin1'), payload].map((part) => Buffer.from(part));
  const header = Buffer.alloc(16);
  header.writeUInt32LE(
    body.reduce((sum, part) => sum + part.length, 0),
    0,
  );
  header.writeUInt8(type, 4);
  header.writeUInt8(body[0].length, 5);
  header.writeUInt16LE(body[1].length, 6);
  header.writeBigUInt64LE(BigInt(id), 8);
  return Buffer.concat([header, ...body]);
}

let clientCount = 0;

export class Client {
  constructor(socket) {
    this.socket = socket;
    this.name = `client ${++clientCount}`; // a token is for one request only
    this.chunks = [];
    this.buffered = 0;
    this.wake = () => {};
    this.over = false;
    this.failure = undefined;
    this.nextId = 1n;
    this.opened = new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    socket.on('data', (chunk) => {
      this.chunks.push(chunk);
      this.buffered += chunk.length;
      this.wake();
    });
    socket.on('error', (error) => {
      this.failure = error;
    });
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.over = true;
        this.wake();
      });
    }
  }

  send(frame) {
    this.socket.write(Buffer.isBuffer(frame) ? frame : encode(frame));
  }

  /** Opens a connection over a port; resolves with what came before the guest's answer. */
  async open(key) {
    const nonce = randomBytes(8).toString('hex');
    this.send({ type: FrameType.ping, token: key, payload: nonce });
    const answer = encode({ type: FrameType.pong, token: key, payload: nonce });
    for (;;) {
      const all = Buffer.concat(this.chunks);
      const at = all.indexOf(answer);
      if (at >= 0) {
        this.chunks = [all];
        this.take(at + answer.length);
        return all.subarray(0, at);
      }
      if (!(await this.have(this.buffered + 1))) throw new Error('the port was closed before it was open');
    }
  }

  take(size) {
    const all = this.chunks.length === 1 ? this.chunks[0] : Buffer.concat(this.chunks);
    this.chunks = [all.subarray(size)];
    this.buffered -= size;
    return all.subarray(0, size);
  }

  /** False: the connection ended before. */
  async have(size) {
    while (this.buffered < size) {
      if (this.over) return false;
      await within(answerTimeoutMs, new Promise((resolve) => (this.wake = resolve)), 'an answer');
    }
    return true;
  }

  /** The next frame; undefined once the connection has ended. */
  async receive() {
    if (!(await this.have(16))) return undefined;
    const header = this.take(16);
    const operationSize = header.readUInt8(5);
    const tokenSize = header.readUInt16LE(6);
    if (!(await this.have(header.readUInt32LE(0)))) return undefined;
    const body = this.take(header.readUInt32LE(0));
    const type = header.readUInt8(4);
    const start = operationSize + tokenSize;
    const typeSize = type === FrameType.typedReply ? body[start] + 1 : 0;
    const bytes = body.subarray(start + typeSize);
    const frame = {
      type,
      id: header.readBigUInt64LE(8),
      token: body.subarray(operationSize, start).toString(),
      payload: bytes.toString(),
      ...(typeSize > 0 ? { contentType: body.subarray(start + 1, start + typeSize).toString('latin1') } : {}),
    };
    // Frames are compared as a whole by their text: the bytes of the payload say it a second time.
    return Object.defineProperty(frame, 'bytes', { value: bytes });
  }

  /** Sends a request and takes the next frame for its answer. */
  async ask(operation, payload, token = `${this.name}.${this.nextId}`) {
    const id = this.nextId++;
    this.send({ id, operation, token, payload });
    const answer = await this.receive();
    if (answer === undefined) throw new Error(`no answer to ${operation}`);
    if (answer.id !== id || answer.token !== token)
      throw new Error(`answer to ${operation} has id ${answer.id} and token ${answer.token}`);
    return answer;
  }
}
