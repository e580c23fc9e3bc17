/* From the PVH entry (32 bit, paging off, ebx = start info) to ring 3. Nothing here loops: layout.h says why. */
#include "layout.h"

.section .note.pvh, "a", @note
.long 4, 8, 18               /* name size, value size, XEN_ELFNOTE_PHYS32_ENTRY */
.asciz "Xen"
.quad pvh_entry

/* For Shoal: a console of a virtio-serial device is taken. */
.section .note.shoal, "a", @note
.long 6, 0, 1
.asciz "Shoal"
.balign 4

.section .text.boot, "ax"
.code32
.globl pvh_entry
pvh_entry:
  movl $0x6a0, %eax          /* CR4: PAE, PGE, SSE and its exceptions */
  movl %eax, %cr4
  movl $PAGE_TABLES, %eax
  movl %eax, %cr3
  movl $0xc0000080, %ecx     /* EFER: long mode, no-execute */
  movl $0x901, %eax
  xorl %edx, %edx
  wrmsr
  movl $0x80050033, %eax     /* CR0: paging, write protection also in ring 0, no x87 emulation */
  movl %eax, %cr0
  lgdt gdt_pointer
  ljmp $SELECTOR_KERNEL_CODE, $long_mode

.code64
long_mode:
  movl $KERNEL_STACK_TOP, %esp
  lidt idt_pointer
  movl $SELECTOR_TSS, %eax
  ltr %ax
  movl $SELECTOR_USER_DATA, %eax
  movl %eax, %ds
  movl %eax, %es
  movl %ebx, %edi            /* the first argument of start() */
  pushq $SELECTOR_USER_DATA
  pushq $(USER_STACK_TOP - 8)
  pushq $2                   /* interrupts stay off in ring 3: they are taken only while it sleeps */
  pushq $SELECTOR_USER_CODE
  pushq $start
  iretq

.section .note.GNU-stack, "", @progbits
