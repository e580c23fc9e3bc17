/** The least Linux kernel that passes for one. */
export function leastKernel(): Buffer {
  const file = Buffer.alloc(1_024);
  file.writeUInt16LE(0xaa55, 0x1fe);
  file.write('HdrS', 0x202, 'latin1');
  return file;
}
