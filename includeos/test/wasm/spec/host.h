/* What a generated driver of a test file's assertions is compiled with, behind the headers that wasm2c wrote (driver.mjs). */
#pragma once
#include <stddef.h>
#include <stdint.h>

static inline float as_f32(uint32_t bits) {
  float value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}
static inline double as_f64(uint64_t bits) {
  double value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}
static inline uint32_t bits_f32(float value) {
  uint32_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  return bits;
}
static inline uint64_t bits_f64(double value) {
  uint64_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  return bits;
}

/* The specification's two sets of NaN; of both signs. */
static inline int is_canonical_f32(float x) { return (bits_f32(x) & 0x7fffffff) == 0x7fc00000; }
static inline int is_canonical_f64(double x) { return (bits_f64(x) & 0x7fffffffffffffff) == 0x7ff8000000000000; }
static inline int is_arithmetic_f32(float x) { return (bits_f32(x) & 0x7fc00000) == 0x7fc00000; }
static inline int is_arithmetic_f64(double x) { return (bits_f64(x) & 0x7ff8000000000000) == 0x7ff8000000000000; }

/* One of a test file's commands: `body` sets *(int*)ok to 0 if a result is another one; `end` is how it has to end, as shoal_wasm_name()
   says it, or "a trap" for any. */
struct command {
  void (*body)(void* ok);
  int line;
  const char* end;
};

#ifdef __cplusplus
extern "C" {
#endif

/* Starts a module and has it do its commands; then once more, from its snapshot. */
void run_module(const char* name, void* instance, size_t instance_bytes, struct command start, const struct command* commands, size_t count);

/* Prints how many commands did as they should, and how many did not; the program's exit code. */
int report(void);

#ifdef __cplusplus
}
#endif
