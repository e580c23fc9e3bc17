/* Page tables and descriptor tables, complete as the loader puts them into memory. */
#include "layout.h"

#define PAGE 4096

.section .tables, "aw", @progbits

/* PML4, PDPT, PDs of the first three GiB, PD of the fourth GiB, PTs of the image. */
.set pdpt, PAGE_TABLES + PAGE
.set pd_memory, PAGE_TABLES + 2 * PAGE
.globl pd_memory
.set pd_devices, PAGE_TABLES + 5 * PAGE
.set pt_image, PAGE_TABLES + 6 * PAGE

.globl image_tables_end
.set image_tables_end, IMAGE_PAGE_TABLES * 0x200000

.quad pdpt + (PAGE_PRESENT | PAGE_WRITE | PAGE_USER | PAGE_USED)
.fill 511, 8, 0

.set table, pd_memory
.rept 3
  .quad table + (PAGE_PRESENT | PAGE_WRITE | PAGE_USER | PAGE_USED)
  .set table, table + PAGE
.endr
.quad pd_devices + (PAGE_PRESENT | PAGE_WRITE | PAGE_USER | PAGE_USED)
.fill 508, 8, 0

.set table, pt_image
.rept IMAGE_PAGE_TABLES
  .quad table + (PAGE_PRESENT | PAGE_WRITE | PAGE_USER | PAGE_USED)
  .set table, table + PAGE
.endr
.set address, IMAGE_PAGE_TABLES * 0x200000
.rept 3 * 512 - IMAGE_PAGE_TABLES
  .quad address + (PAGE_PRESENT | PAGE_WRITE | PAGE_USER | PAGE_USED | PAGE_LARGE | PAGE_NO_EXECUTE)
  .set address, address + 0x200000
.endr

.fill 496, 8, 0
.set address, DEVICES_BASE
.rept 16
  .quad address + (PAGE_PRESENT | PAGE_WRITE | PAGE_USER | PAGE_USED | PAGE_LARGE | PAGE_UNCACHED | PAGE_NO_EXECUTE)
  .set address, address + 0x200000
.endr

/* Page 0 stays out, so that a null pointer faults. The rest of the first MiB holds what the loader tells. */
.quad 0
.set address, PAGE
.rept 512 * IMAGE_PAGE_TABLES - 1
  .if address < IMAGE_BASE
    .quad address + (PAGE_PRESENT | PAGE_USER | PAGE_USED | PAGE_NO_EXECUTE)
  .elseif address < IMAGE_WRITABLE
    .quad address + (PAGE_PRESENT | PAGE_USER | PAGE_USED)
  .elseif address < GUARD_PAGE
    .quad address + (PAGE_PRESENT | PAGE_WRITE | PAGE_USED | PAGE_NO_EXECUTE)
  .elseif address == GUARD_PAGE
    .quad 0
  .else
    .quad address + (PAGE_PRESENT | PAGE_WRITE | PAGE_USER | PAGE_USED | PAGE_NO_EXECUTE)
  .endif
  .set address, address + PAGE
.endr

/* GDT at DESCRIPTORS. Selectors: layout.h. The TSS holds one thing: the stack for ring 0. */
.set tss, DESCRIPTORS + 0x80
gdt:
.quad 0
.quad 0
.quad 0x00af9b000000ffff     /* 0x10 kernel code */
.quad 0x00cf93000000ffff     /* 0x18 kernel data */
.quad 0
.quad 0x00cff3000000ffff     /* 0x28 user data */
.quad 0x00affb000000ffff     /* 0x30 user code */
.word 103, tss & 0xffff      /* 0x38 TSS, 16 bytes */
.byte (tss >> 16) & 0xff, 0x89, 0, (tss >> 24) & 0xff
.quad 0
gdt_end:
.org DESCRIPTORS - PAGE_TABLES + 0x80
.long 0
.quad KERNEL_STACK_TOP
.fill 90, 1, 0
.word 104                    /* no I/O permission bitmap */

/* IDT: the stub of vector N stands at IMAGE_BASE + 16 * N (shim.S), so that its address is a constant here. */
.org DESCRIPTORS - PAGE_TABLES + 0x100
idt:
.set vector, 0
.rept VECTOR_COUNT
  .set stub, IMAGE_BASE + 16 * vector
  .word stub & 0xffff, SELECTOR_KERNEL_CODE, 0x8e00, stub >> 16
  .quad 0
  .set vector, vector + 1
.endr
idt_end:

.section .rodata
.globl gdt_pointer, idt_pointer
gdt_pointer:
.word gdt_end - gdt - 1
.quad DESCRIPTORS
idt_pointer:
.word idt_end - idt - 1
.quad DESCRIPTORS + 0x100
