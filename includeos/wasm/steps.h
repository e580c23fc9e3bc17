/* Included before each C file that wasm2c wrote; prepare.awk puts the macros into its functions and behind its loops' labels. */
#pragma once
#include <stdint.h>

extern int32_t shoal_wasm_countdown;    /* steps until the guest must have its turn */
extern uintptr_t shoal_wasm_stack_limit; /* a function whose frame reaches below traps */
void shoal_wasm_take_turn(void);
__attribute__((noreturn, cold)) void shoal_wasm_exhausted(void);

register uintptr_t shoal_wasm_stack_pointer __asm__("rsp");

#define SHOAL_WASM_STEP \
  if (__builtin_expect(--shoal_wasm_countdown < 0, 0)) shoal_wasm_take_turn()

#define SHOAL_WASM_ENTER                                                                                   \
  if (__builtin_expect(shoal_wasm_stack_pointer < shoal_wasm_stack_limit, 0)) shoal_wasm_exhausted(); \
  SHOAL_WASM_STEP

/* For what takes long and tells nobody how long. */
#define SHOAL_WASM_SPEND shoal_wasm_countdown = 0
