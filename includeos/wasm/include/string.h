/* The block functions as generated code calls them: what is long counts as many steps, so that a loop of long copies yields as well, and
   the pages that are written to are noted (wasm/steps.h). */
#pragma once
#include <stddef.h>
#include <stdint.h>

extern int32_t shoal_wasm_countdown;

void shoal_wasm_take_turn(void);
void shoal_wasm_note(const void* at, size_t bytes);

static inline void shoal_wasm_charge(const void* to, size_t bytes) {
  shoal_wasm_countdown -= (int32_t)(bytes >> 7);
  if (__builtin_expect(shoal_wasm_countdown < 0, 0)) shoal_wasm_take_turn();
  shoal_wasm_note(to, bytes);
}

static inline void* shoal_wasm_memcpy(void* to, const void* from, size_t size) {
  if (!__builtin_constant_p(size)) shoal_wasm_charge(to, size);
  return __builtin_memcpy(to, from, size);
}
static inline void* shoal_wasm_memmove(void* to, const void* from, size_t size) {
  shoal_wasm_charge(to, size);
  return __builtin_memmove(to, from, size);
}
static inline void* shoal_wasm_memset(void* to, int byte, size_t size) {
  shoal_wasm_charge(to, size);
  return __builtin_memset(to, byte, size);
}

#define memcpy(to, from, size) shoal_wasm_memcpy(to, from, size)
#define memmove(to, from, size) shoal_wasm_memmove(to, from, size)
#define memset(to, byte, size) shoal_wasm_memset(to, byte, size)
