/* Where things lie in memory: fixed addresses, shared by the assembler, the linker script and C++.
   They are fixed because the page tables, the descriptor tables and the vectors are data of the image, complete before it
   runs: filling them in a loop would cost 30 ms where a hypervisor emulates ring 0 one instruction at a time. */
#ifndef SHOAL_BUILTIN_LAYOUT_H
#define SHOAL_BUILTIN_LAYOUT_H

#define IMAGE_BASE 0x100000        /* vectors first, then code and constants: readable, executable, never writable */

/* The end of that part; what follows is never executable. build.sh tells another one if an image has more code, and more stack. */
#ifndef IMAGE_WRITABLE
#define IMAGE_WRITABLE 0x130000
#endif
#ifndef USER_STACK_BYTES
#define USER_STACK_BYTES 0x10000
#endif

/* Tables of 4 KiB pages, each for 2 MiB, up to IMAGE_DATA at least; behind that, pages have 2 MiB. */
#define IMAGE_PAGE_TABLES (((IMAGE_WRITABLE + USER_STACK_BYTES + 0x20000) >> 21) + 1)

#define PAGE_TABLES IMAGE_WRITABLE /* ring 0 only from here ... */
#define DESCRIPTORS (PAGE_TABLES + (6 + IMAGE_PAGE_TABLES) * 0x1000) /* GDT, TSS and IDT */
#define KERNEL_STACK_TOP (DESCRIPTORS + 0x2000)
#define GUARD_PAGE KERNEL_STACK_TOP /* ... to here; not mapped, so that a stack that runs over faults */
#define USER_STACK_BOTTOM (GUARD_PAGE + 0x1000)
#define USER_STACK_TOP (USER_STACK_BOTTOM + USER_STACK_BYTES)
#define IMAGE_DATA USER_STACK_TOP

/* The last 32 MiB below 4 GiB hold the devices: IOAPIC, LAPIC and the virtio-mmio slots. */
#define DEVICES_BASE 0xfe000000

#define SELECTOR_KERNEL_CODE 0x10
#define SELECTOR_USER_DATA 0x2b
#define SELECTOR_USER_CODE 0x33
#define SELECTOR_TSS 0x38

#define VECTOR_TIMER 32
#define VECTOR_LINK 33             /* the network card, or the port */
#define VECTOR_CONSOLE 34
#define VECTOR_SPURIOUS 35
#define VECTOR_COUNT 36

#define LAPIC_EOI 0xfee000b0

/* What ring 3 asks of the shim, in eax, by executing `hlt`, which faults there. Odd numbers, so that a stray `hlt` is a panic. */
#define CALL_SLEEP 0x53480001
#define CALL_CONSOLE_OPEN 0x53480002
#define CALL_CONSOLE_WRITE 0x53480003
#define CALL_CONSOLE_READ 0x53480004
#define CALL_POWER_OFF 0x53480005
#define CALL_SPLIT_PAGES 0x53480006

/* Bits of the entries of page tables. */
#define PAGE_PRESENT 1
#define PAGE_WRITE 2
#define PAGE_USER 4
#define PAGE_UNCACHED 0x18
#define PAGE_USED 0x60             /* accessed and dirty, so that the processor need not write them */
#define PAGE_LARGE 0x80
#define PAGE_NO_EXECUTE 0x8000000000000000

/* What is written to isa-debug-exit; QEMU's exit code is twice that plus one. */
#define POWER_OFF_STOP 0x21
#define POWER_OFF_BAD_ARGUMENT 0x22
#define POWER_OFF_PANIC 0x23
#define POWER_OFF_RESET 0x00       /* no exit code at all: a triple fault */

#endif
