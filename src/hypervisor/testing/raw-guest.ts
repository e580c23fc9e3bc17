/** What a raw guest does after it has printed. */
export type RawEnd =
  /** It waits for an interrupt that never comes. */
  | 'halt'
  /** It prints it all again, and again. */
  | 'again'
  /** It faults until its CPU is reset. */
  | 'triple-fault'
  /** It writes the value to the port of `isa-debug-exit`. */
  | { readonly exit: number };

const ORIGIN = 0x100000;
const HEADERS_BYTES = 52 + 2 * 32;
const NOTE_BYTES = 20;

/**
 * The least image that boots by PVH: it prints a text on its console, byte by byte, and then does one thing. For
 * guests that keep no contract.
 */
export function rawGuest(text: string | Uint8Array, end: RawEnd): Buffer {
  const said = Buffer.from(text);
  const codeAt = ORIGIN + HEADERS_BYTES + NOTE_BYTES;
  const tail = endCode(end);
  const head = [
    0xfc, // cld
    ...[0xbe, 0, 0, 0, 0], // mov esi, TEXT
    ...[0xb9, 0, 0, 0, 0], // mov ecx, LENGTH
    ...[0x85, 0xc9, 0x74, 0x11], // test ecx, ecx; jz past the loop
    ...[0x66, 0xba, 0xfd, 0x03], // mov dx, 0x3fd: the line status
    ...[0xec, 0xa8, 0x20, 0x74, 0xfb], // until the transmitter is empty
    ...[0x66, 0xba, 0xf8, 0x03], // mov dx, 0x3f8
    ...[0xac, 0xee, 0xe2, 0xef], // lodsb; out dx, al; loop
  ];
  const code = Buffer.from([...head, ...tail]);
  // Back to the first instruction.
  if (end === 'again') code.writeInt32LE(-code.length, code.length - 4);
  code.writeUInt32LE(codeAt + code.length, 2);
  code.writeUInt32LE(said.length, 7);
  const bytes = HEADERS_BYTES + NOTE_BYTES + code.length + said.length;
  return Buffer.concat([headers(codeAt, bytes), note(codeAt), code, said]);
}

function endCode(end: RawEnd): readonly number[] {
  if (end === 'halt') return [0xfa, 0xf4, 0xeb, 0xfd]; // cli; hlt; jmp
  if (end === 'again') return [0xe9, 0, 0, 0, 0]; // jmp
  // An interrupt table at an address where no memory is.
  if (end === 'triple-fault') return [0x0f, 0x01, 0x1d, 0, 0, 0, 0xd0, 0xcc]; // lidt; int3
  return [0xb0, end.exit, 0xe6, 0xf4, 0xfa, 0xf4, 0xeb, 0xfd]; // mov al; out 0xf4, al; cli; hlt; jmp
}

function headers(entry: number, bytes: number): Buffer {
  const file = Buffer.alloc(HEADERS_BYTES);
  file.write('\x7fELF\x01\x01\x01', 0, 'latin1');
  file.writeUInt16LE(2, 16); // executable
  file.writeUInt16LE(3, 18); // 386
  file.writeUInt32LE(1, 20);
  file.writeUInt32LE(entry, 24);
  file.writeUInt32LE(52, 28); // where the program headers are
  file.writeUInt16LE(52, 40);
  file.writeUInt16LE(32, 42);
  file.writeUInt16LE(2, 44);
  segment(file, 52, { type: 1, offset: 0, address: ORIGIN, bytes });
  segment(file, 84, { type: 4, offset: HEADERS_BYTES, address: ORIGIN + HEADERS_BYTES, bytes: NOTE_BYTES });
  return file;
}

function segment(
  file: Buffer,
  at: number,
  { type, offset, address, bytes }: { type: number; offset: number; address: number; bytes: number },
): void {
  const words = [type, offset, address, address, bytes, bytes, 7, 4];
  for (const [index, word] of words.entries()) file.writeUInt32LE(word, at + 4 * index);
}

/** XEN_ELFNOTE_PHYS32_ENTRY */
function note(entry: number): Buffer {
  const bytes = Buffer.alloc(NOTE_BYTES);
  bytes.writeUInt32LE(4, 0);
  bytes.writeUInt32LE(4, 4);
  bytes.writeUInt32LE(18, 8);
  bytes.write('Xen\0', 12, 'latin1');
  bytes.writeUInt32LE(entry, 16);
  return bytes;
}
