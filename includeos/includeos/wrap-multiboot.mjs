// Wraps an ELF file of 64 bits into one of 32 bits, with the same bytes at the same addresses:
//   node wrap-multiboot.mjs IMAGE64 IMAGE32
// A multiboot loader, such as QEMU's, takes files of 32 bits only. IncludeOS begins in 32 bits, and reads its own header later, so that must
// stay as it is: `objcopy -O elf32-i386` would write another one.
import { readFileSync, writeFileSync } from 'node:fs';

const HEADER_BYTES = 52;
const SEGMENT_BYTES = 32;
const SEGMENT_LOAD = 1;
const MACHINE_X86_64 = 62;
const MACHINE_386 = 3;
/** Where the first segment begins: the multiboot header in it must be in the first 8 KiB of the file. */
const FIRST_OFFSET = 256;
const MULTIBOOT_MAGIC = 0x1badb002;
const MULTIBOOT_BYTES = 8192;

const [from, to] = process.argv.slice(2);
const image = readFileSync(from);
if (
  image.length < 64 ||
  image.readUInt32BE(0) !== 0x7f454c46 ||
  image[4] !== 2 ||
  image.readUInt16LE(18) !== MACHINE_X86_64
)
  fail('it is no ELF file of 64 bits for x86-64');

const segments = [];
for (let i = 0, at = small(32); i < image.readUInt16LE(56); i++, at += image.readUInt16LE(54)) {
  if (image.readUInt32LE(at) !== SEGMENT_LOAD || small(at + 40) === 0) continue;
  const [offset, virtual, physical, fileBytes, memoryBytes] = [8, 16, 24, 32, 40].map((field) => small(at + field));
  const bytes = image.subarray(offset, offset + fileBytes);
  segments.push({ flags: image.readUInt32LE(at + 4), bytes, virtual, physical, memoryBytes });
}
if (HEADER_BYTES + segments.length * SEGMENT_BYTES > FIRST_OFFSET) fail(`it has ${segments.length} segments`);

const header = Buffer.alloc(FIRST_OFFSET);
image.copy(header, 0, 0, 20); // magic, byte order, type
header[4] = 1; // 32 bits
header.writeUInt16LE(MACHINE_386, 18);
header.writeUInt32LE(1, 20);
header.writeUInt32LE(small(24), 24); // entry
header.writeUInt32LE(HEADER_BYTES, 28); // where the table of segments is
header.writeUInt16LE(HEADER_BYTES, 40);
header.writeUInt16LE(SEGMENT_BYTES, 42);
header.writeUInt16LE(segments.length, 44);

let offset = FIRST_OFFSET;
segments.forEach(({ flags, bytes, virtual, physical, memoryBytes }, index) => {
  const fields = [SEGMENT_LOAD, offset, virtual, physical, bytes.length, memoryBytes, flags, 4];
  for (const [i, value] of fields.entries()) header.writeUInt32LE(value, HEADER_BYTES + index * SEGMENT_BYTES + 4 * i);
  offset += bytes.length;
});
const wrapped = Buffer.concat([header, ...segments.map(({ bytes }) => bytes)]);
if (!hasMultibootHeader(wrapped)) fail('it has no multiboot header at its beginning');
writeFileSync(to, wrapped, { mode: 0o755 });

/** A number of 64 bits that must fit into 32. */
function small(at) {
  const value = image.readBigUInt64LE(at);
  return value < 2n ** 32n ? Number(value) : fail(`0x${value.toString(16)} is beyond 32 bits`);
}

function hasMultibootHeader(file) {
  for (let at = 0; at + 12 <= Math.min(file.length, MULTIBOOT_BYTES); at += 4) {
    if (file.readUInt32LE(at) === MULTIBOOT_MAGIC) return true;
  }
  return false;
}

function fail(why) {
  process.stderr.write(`includeos: ${from} cannot be wrapped: ${why}\n`);
  process.exit(1);
}
