/* The firmware of a microvm whose kernel boots by PVH: from the reset vector to the kernel's entry, and nothing else. QEMU has put the
   kernel into memory already; what else PVH's start info tells is asked of QEMU's fw_cfg device, each by one DMA. A general firmware
   asks in some eighty accesses, and initialises what such a machine lacks. Nothing here loops: before paging is on, some hypervisors
   emulate one instruction at a time. */

#define OFFSET 0xfe00          /* of this code in the 64 KiB that end with the first 4 GiB: firmware.ld */

/* Where the loader's words go: below the image, above page 0, which the guest leaves unmapped. RAM is zero after a reset. */
#define START_INFO 0x1000
#define MODULES 0x1040
#define MEMORY_MAP 0x1060
#define MEMORY_HIGH (MEMORY_MAP + 24)
#define ENTRY 0x10a0
#define TRANSFER 0x10b0        /* the one DMA whose words are known only now */
#define COMMAND_LINE 0x2000
#define COMMAND_LINE_BYTES 4096

#define LOW_MEMORY_END 0x9fc00
#define MIB 0x100000
#define MEMORY_MAX 0xc0000000  /* where QEMU has the devices' addresses begin; RAM behind those stays unused */

#define PVH_MAGIC 0x336ec578
#define TYPE_RAM 1

/* fw_cfg: the DMA register, which takes the address of a transfer with its bytes swapped, and the keys of what is told. */
#define DMA_PORT 0x518
#define SELECT_AND_READ 0x0a
#define KEY_RAM_SIZE 0x03
#define KEY_INITRD_ADDRESS 0x0a
#define KEY_INITRD_SIZE 0x0b
#define KEY_ENTRY 0x10
#define KEY_INITRD 0x12
#define KEY_COMMAND_LINE 0x15

.section .text, "ax"
.code16
start:
  lgdtl %cs:(gdt_pointer - start + OFFSET)
  movl $0x11, %eax             /* CR0: protected mode, and caches on */
  movl %eax, %cr0
  ljmpl $8, $protected

.code32
protected:
  movl $16, %eax
  movl %eax, %ds
  movl %eax, %es
  movl %eax, %ss

  /* Each of these accesses is a whole transfer: QEMU carries it out before the next instruction. */
  movl $DMA_PORT, %edx
  .irp transfer, of_entry, of_ram_size, of_initrd_address, of_initrd_size, of_command_line
    movl $\transfer, %eax
    bswapl %eax
    outl %eax, %dx
  .endr

  movl $PVH_MAGIC, START_INFO
  movl $1, START_INFO + 4                     /* version */
  movl $COMMAND_LINE, START_INFO + 24
  movl $MEMORY_MAP, START_INFO + 40
  movl $2, START_INFO + 48                    /* entries of the memory map */
  movl $LOW_MEMORY_END, MEMORY_MAP + 8
  movl $TYPE_RAM, MEMORY_MAP + 16
  movl $MIB, MEMORY_HIGH
  movl $TYPE_RAM, MEMORY_HIGH + 16

  movl MEMORY_HIGH + 8, %eax                  /* the size of all RAM, 64 bits */
  movl MEMORY_HIGH + 12, %ecx
  movl $0, MEMORY_HIGH + 12
  testl %ecx, %ecx
  jnz 1f
  cmpl $MEMORY_MAX, %eax
  jbe 2f
1:
  movl $MEMORY_MAX, %eax
2:
  subl $MIB, %eax
  movl %eax, MEMORY_HIGH + 8

  movl MODULES + 8, %eax                      /* the size of the initial ramdisk */
  testl %eax, %eax
  jz 3f
  movl $1, START_INFO + 12                    /* modules */
  movl $MODULES, START_INFO + 16
  movl $((SELECT_AND_READ << 24) | (KEY_INITRD << 8)), TRANSFER
  bswapl %eax
  movl %eax, TRANSFER + 4
  movl MODULES, %eax
  bswapl %eax
  movl %eax, TRANSFER + 12
  movl $TRANSFER, %eax
  bswapl %eax
  outl %eax, %dx
3:
  movl $START_INFO, %ebx
  movl ENTRY, %eax
  jmp *%eax

/* transfer NAME KEY BYTES ADDRESS: big-endian, as the device takes it. It cannot write its success back here. */
.macro transfer name, key, bytes, address
\name:
  .byte 0, \key, 0, SELECT_AND_READ
  .byte (\bytes) >> 24, (\bytes) >> 16 & 0xff, (\bytes) >> 8 & 0xff, (\bytes) & 0xff
  .long 0
  .byte (\address) >> 24, (\address) >> 16 & 0xff, (\address) >> 8 & 0xff, (\address) & 0xff
.endm

.balign 16
  transfer of_entry, KEY_ENTRY, 4, ENTRY
  transfer of_ram_size, KEY_RAM_SIZE, 8, MEMORY_HIGH + 8
  transfer of_initrd_address, KEY_INITRD_ADDRESS, 4, MODULES
  transfer of_initrd_size, KEY_INITRD_SIZE, 4, MODULES + 8
  transfer of_command_line, KEY_COMMAND_LINE, COMMAND_LINE_BYTES, COMMAND_LINE

/* Flat segments, marked as used so that the processor need not write here. */
gdt:
  .quad 0
  .quad 0x00cf9b000000ffff
  .quad 0x00cf93000000ffff
gdt_pointer:
  .word . - gdt - 1
  .long gdt

.org 0x1f0                     /* the last 16 bytes: where the processor starts */
.code16
  jmp start
.org 0x200

.section .note.GNU-stack, "", @progbits
