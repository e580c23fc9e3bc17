/* What a Shoal service in C shares with its guest; it needs no library. Build with clang and lld:

     clang --target=wasm32 -O2 -ffreestanding -nostdlib -Wl,--no-entry service.c -o service.wasm

   A whole service:

     #include "shoal.h"

     static shoal_result shout(shoal_text text) {
       if (text.size == 0) return shoal_refuse(400, "expected a text");
       char* bytes = shoal_allocate(text.size + 1);
       if (bytes == 0) return shoal_refuse(413, "the text is too long");
       for (uint32_t i = 0; i < text.size; i++) bytes[i] = text.bytes[i];
       bytes[text.size] = '!';
       return shoal_reply(bytes, text.size + 1);
     }

     SHOAL_OPERATION("shout", shout)
     SHOAL_SERVICE
     SHOAL_IDEMPOTENT                                                                                          */
#pragma once
#include <stdint.h>

typedef struct {
  const char* bytes; /* not ended by 0; the operation may use them as memory of its own */
  uint32_t size;
} shoal_text;

typedef uint64_t shoal_result;

__attribute__((import_module("shoal"), import_name("fail"))) void shoal_fail(uint32_t code, const char* message, uint32_t size);

/* Of a service of bytes. What the reply is; 0: that is no content type. */
__attribute__((import_module("shoal"), import_name("content_type"))) int shoal_content_type(const char* type, uint32_t size);

/* What the request is, as far as there is room (255 bytes are enough); its length, or 0 if the client does not say it. */
__attribute__((import_module("shoal"), import_name("request_content_type"))) uint32_t shoal_request_content_type(char* to, uint32_t room);

/* Memory until the operation has returned; null if there is not so much. State that is to outlive a request stands in variables. */
void* shoal_allocate(uint32_t bytes);

static inline shoal_result shoal_reply(const char* bytes, uint32_t size) {
  return (uint64_t)(uintptr_t)bytes << 32 | size;
}

/* Answers with an error instead: a code from 400 to 599 and a message for people. */
static inline shoal_result shoal_refuse(uint32_t code, const char* message) {
  uint32_t size = 0;
  while (message[size] != '\0') size++;
  shoal_fail(code, message, size);
  return 0;
}

#define SHOAL_JOIN_(a, b) a##b
#define SHOAL_JOIN(a, b) SHOAL_JOIN_(a, b)

/* `name` has 1 to 64 of a-z, 0-9, '.', '_' and '-'; the first operation is for requests that name none. */
#define SHOAL_OPERATION(name, function)                                                                      \
  __attribute__((export_name("shoal_op_" name))) shoal_result SHOAL_JOIN(shoal_operation_, __COUNTER__)(     \
      const char* bytes, uint32_t size) {                                                                    \
    return function((shoal_text){bytes, size});                                                              \
  }

/* A request may be worked on twice, should a VM die. */
#define SHOAL_IDEMPOTENT __attribute__((export_name("shoal_idempotent"))) void shoal_idempotent(void) {}

/* Variables keep what they have from one request to the next. */
#define SHOAL_KEEPS_STATE __attribute__((export_name("shoal_keeps_state"))) void shoal_keeps_state(void) {}

/* Requests and replies are bytes, and need not be text. */
#define SHOAL_PAYLOAD_BYTES __attribute__((export_name("shoal_payload_bytes"))) void shoal_payload_bytes(void) {}

/* Once in one file of the service: memory from the end of its data on, taken piece by piece, and free again at the next request. */
#define SHOAL_SERVICE                                                                                        \
  extern unsigned char __heap_base;                                                                          \
  static uint32_t shoal_taken;                                                                               \
  void* shoal_allocate(uint32_t bytes) {                                                                     \
    const uint64_t start = ((uint64_t)(uintptr_t)&__heap_base + shoal_taken + 15) & ~(uint64_t)15;           \
    const uint64_t end = start + bytes;                                                                      \
    const uint64_t has = (uint64_t)__builtin_wasm_memory_size(0) << 16;                                      \
    if (end > UINT32_MAX) return 0;                                                                          \
    if (end > has && __builtin_wasm_memory_grow(0, (uint32_t)((end - has + 0xffff) >> 16)) == (unsigned long)-1) return 0; \
    shoal_taken = (uint32_t)(end - (uintptr_t)&__heap_base);                                                 \
    return (void*)(uintptr_t)start;                                                                          \
  }                                                                                                          \
  __attribute__((export_name("shoal_alloc"))) void* shoal_alloc(uint32_t size) {                             \
    shoal_taken = 0;                                                                                         \
    return shoal_allocate(size);                                                                             \
  }
