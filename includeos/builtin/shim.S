/* All of ring 0: the vectors and the six calls of layout.h. Ring 3 calls by `hlt`, since `syscall` and `int` do not work
   under every nested hypervisor, and an instruction that faults does. Short, because each instruction here may be emulated. */
#include "layout.h"

.macro plain vector
  .org 16 * \vector
  pushq $0
  pushq $\vector
  jmp fault
.endm
.macro with_code vector
  .org 16 * \vector
  pushq $\vector
  jmp fault
.endm
.macro interrupt vector
  .org 16 * \vector
  jmp interrupt_\vector
.endm

/* Tells ring 3 what has happened and goes straight back there: an interrupt comes only in the `hlt` of CALL_SLEEP, whose
   stack pointer, saved in the interrupt's frame, points to the frame of the caller in ring 3. */
.macro handler vector
interrupt_\vector:
  movabsl %eax, LAPIC_EOI
  movb $1, interrupt_seen + \vector - VECTOR_TIMER
  movq 24(%rsp), %rsp
  iretq
.endm

.section .vectors, "ax"
plain 0
plain 1
plain 2
plain 3
plain 4
plain 5
plain 6
plain 7
with_code 8
plain 9
with_code 10
with_code 11
with_code 12
.org 16 * 13
  jmp shim_call
.org 16 * 14
  jmp page_fault
plain 15
plain 16
with_code 17
plain 18
plain 19
plain 20
with_code 21
.set next, 22
.rept 10
  .org 16 * next
  pushq $0
  pushq $31
  jmp fault
  .set next, next + 1
.endr
interrupt 32
interrupt 33
interrupt 34
interrupt 35
.org 16 * VECTOR_COUNT

handler 32
handler 33
handler 34

interrupt_35:                /* spurious: no EOI, nothing to tell */
  movq 24(%rsp), %rsp
  iretq

shim_call:
  cmpl $CALL_SLEEP, %eax
  jne other_call
  addq $8, %rsp              /* the fault's error code */
  incq (%rsp)                /* step over the `hlt` of ring 3 */
  sti
  hlt
  cli                        /* not reached but for an interrupt that the processor does not deliver */
  iretq

other_call:
  cmpl $CALL_CONSOLE_WRITE, %eax
  je console_write
  cmpl $CALL_CONSOLE_READ, %eax
  je console_read
  cmpl $CALL_CONSOLE_OPEN, %eax
  je console_open
  cmpl $CALL_POWER_OFF, %eax
  je power_off
  cmpl $CALL_SPLIT_PAGES, %eax
  je split_pages
  pushq $13                  /* a real protection fault */
  jmp fault

return:
  addq $8, %rsp
  incq (%rsp)
  iretq

/* rsi = bytes, edi = how many -> eax = how many are left. 16 at a time, the UART's FIFO: one exit for each batch. */
console_write:
  testl %edi, %edi
  jz 1f
  movl $0x3fd, %edx
  inb %dx, %al
  testb $0x20, %al           /* is the FIFO empty? */
  jz 1f
  movl $16, %ecx
  cmpl %edi, %ecx
  cmovgl %edi, %ecx
  subl %ecx, %edi
  movl $0x3f8, %edx
  rep outsb
  jmp console_write
1:
  movl %edi, %eax
  jmp return

/* rdi = room, esi = its size -> eax = how many were read */
console_read:
  xorl %ecx, %ecx
1:
  cmpl %esi, %ecx
  jae 2f
  movl $0x3fd, %edx
  inb %dx, %al
  testb $1, %al
  jz 2f
  movl $0x3f8, %edx
  inb %dx, %al
  movb %al, (%rdi, %rcx)
  incl %ecx
  jmp 1b
2:
  movl %ecx, %eax
  jmp return

/* 8 bits, no parity; FIFO on; interrupt when something has come in. */
console_open:
  movl $0x3fb, %edx
  movb $3, %al
  outb %al, %dx
  movl $0x3fa, %edx
  movb $7, %al
  outb %al, %dx
  movl $0x3fc, %edx
  movb $0x0b, %al
  outb %al, %dx
  movl $0x3f9, %edx
  movb $1, %al
  outb %al, %dx
  jmp return

/* rdi = number of the first large page, rsi = its table of small ones, behind which are those of the next, edx = how many. */
split_pages:
  addq $(PAGE_PRESENT | PAGE_WRITE | PAGE_USER | PAGE_USED), %rsi
1:
  movq %rsi, pd_memory(, %rdi, 8)
  addq $0x1000, %rsi
  incq %rdi
  decl %edx
  jnz 1b
  movq %cr3, %rax
  movq %rax, %cr3
  jmp return

/* The first write to a page that is watched (write_watch.cpp): it is noted and allowed. Stack: code, then the processor's frame. */
page_fault:
  cmpl $7, (%rsp)            /* ring 3 has written to what it may read */
  jne 2f
  pushq %rax
  movq %cr2, %rax
  subq watched_base, %rax
  cmpq watched_bytes, %rax   /* all else in these large pages may be written to */
  jae 1f
  pushq %rcx
  shrq $12, %rax
  movq watched_written, %rcx
  movb $1, (%rcx, %rax)
  movq watched_entries, %rcx
  orb $PAGE_WRITE, (%rcx, %rax, 8)
  popq %rcx
  popq %rax
  addq $8, %rsp
  iretq
1:
  popq %rax
2:
  pushq $14
  jmp fault

/* edi = the code for isa-debug-exit. Where there is no such device, a triple fault ends the machine. */
power_off:
  movl %edi, %eax
  testl %eax, %eax
  jz 1f
  movl $0xf4, %edx
  outb %al, %dx
1:
  lidt no_idt
  ud2

/* Stack: vector, code, then the processor's frame. Ring 3 tells about it (panic.cpp), unless that is what has failed. */
fault:
  movl $POWER_OFF_PANIC, %edi
  cmpb $0, fault_told
  jne power_off
  movb $1, fault_told
  popq fault_report
  popq fault_report + 8
  movq (%rsp), %rax
  movq %rax, fault_report + 16
  movq %cr2, %rax
  movq %rax, fault_report + 24
  movq $panic_after_fault, (%rsp)
  movq $SELECTOR_USER_CODE, 8(%rsp)
  movq $2, 16(%rsp)
  movq $(panic_stack_top - 8), 24(%rsp)
  movq $SELECTOR_USER_DATA, 32(%rsp)
  iretq

.section .rodata
no_idt:
.word 0
.quad 0

.section .data
.globl interrupt_seen, fault_report, watched_base, watched_bytes, watched_written, watched_entries
fault_report:
.quad 0, 0, 0, 0
interrupt_seen:
.fill VECTOR_COUNT - VECTOR_TIMER, 1, 0
fault_told:
.byte 0
.balign 8
watched_base:                /* the first of the large pages, */
.quad 0
watched_bytes:               /* of which there are so many; of each page in them: */
.quad 0
watched_written:             /* a byte, which becomes 1 */
.quad 0
watched_entries:             /* its entry in the page tables */
.quad 0

.section .bss
.balign 16
panic_stack:
.skip 4096
panic_stack_top:

.section .note.GNU-stack, "", @progbits
