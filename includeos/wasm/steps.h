/* Included before each C file that wasm2c wrote; prepare.awk puts the macros into its functions and behind its loops' labels. */
#pragma once
#include <stdint.h>

extern int32_t shoal_wasm_countdown;    /* steps until the guest must have its turn */
extern uintptr_t shoal_wasm_stack_limit; /* a function whose frame reaches below traps */
void shoal_wasm_take_turn(void);
__attribute__((noreturn, cold)) void shoal_wasm_exhausted(void);

register uintptr_t shoal_wasm_stack_pointer __asm__("rsp");

/* Calls count in memory, and the turns of a function's loops in a register: counted in memory, loops of a few instructions took two to four
   times as long. So between two turns of the guest there are at most so many calls, with so many turns of loops in each. */
#define SHOAL_WASM_LOOPS_AT_ONCE 1000

#define SHOAL_WASM_STEP                              \
  if (__builtin_expect(--shoal_wasm_loops < 0, 0)) { \
    shoal_wasm_loops = SHOAL_WASM_LOOPS_AT_ONCE;     \
    shoal_wasm_take_turn();                          \
  }

#define SHOAL_WASM_ENTER                                                                              \
  if (__builtin_expect(shoal_wasm_stack_pointer < shoal_wasm_stack_limit, 0)) shoal_wasm_exhausted(); \
  if (__builtin_expect(--shoal_wasm_countdown < 0, 0)) shoal_wasm_take_turn();                        \
  __attribute__((unused)) int32_t shoal_wasm_loops = SHOAL_WASM_LOOPS_AT_ONCE

/* For a function without a loop whose calls need not count (prepare.awk). */
#define SHOAL_WASM_ENTER_UNCOUNTED \
  if (__builtin_expect(shoal_wasm_stack_pointer < shoal_wasm_stack_limit, 0)) shoal_wasm_exhausted()

/* Which pages were written to since the snapshot, one byte each: only these are put back. A write across the end of a page counts for the
   first one; restore() knows. It costs loops that do little but write up to a fifth of their speed, and saves putting back what is large: a
   module with a small memory goes without (describe.awk), and page faults fill these bytes (builtin/write_watch.h). */
#define SHOAL_WASM_PAGE_BITS 12
extern uint8_t shoal_wasm_written[];
#ifndef SHOAL_WASM_TRACKS
#define SHOAL_WASM_TRACKS 1
#endif
#if SHOAL_WASM_TRACKS
#define SHOAL_WASM_WRITE(address) shoal_wasm_written[(address) >> SHOAL_WASM_PAGE_BITS] = 1
#else
#define SHOAL_WASM_WRITE(address) ((void)0)
#endif

/* For what takes long and tells nobody how long. */
#define SHOAL_WASM_SPEND shoal_wasm_take_turn()
