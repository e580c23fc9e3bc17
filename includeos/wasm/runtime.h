/* Runs the C that wasm2c 1.0.32 (Debian's package wabt) writes of a WebAssembly module, in the built-in image. How to use it:

     wasm2c --no-debug-names -n svc module.wasm -o module.c          also writes module.h: Z_svc_instance_t, Z_svc_instantiate() and so on
     awk -f wasm/prepare.awk module.c > module_steps.c               a step at each function's beginning and in each loop
     gcc $wasm_flags -c module_steps.c                               the flags: build.sh

   In the image's `open` (builtin/resident.h), with `instance` a static Z_svc_instance_t:

     shoal_wasm_open(memory, bytes, &instance, sizeof instance);     linear memory grows from the start of `memory`; tables and the snapshot
                                                                     lie at its end
     shoal_wasm_try(body, argument)                                  body(): Z_svc_init_module(); Z_svc_instantiate(&instance, NULL, ...);
                                                                     0, or why it ended early: a trap, or what shoal_wasm_leave() told
     shoal_wasm_snapshot();                                          now: memory, globals and tables as they are

   and for a request:

     shoal_wasm_yields(true);                                        code gives the guest its turn, and ends when the request is cancelled
     shoal_wasm_try(...)                                             each call into the module stands in one
     shoal_wasm_yields(false);
     shoal_wasm_restore();                                           as at the snapshot; after a trap always, since frames were thrown away

   Imports are functions that wasm2c names (Z_wasi_snapshot_preview1Z_fd_write): wasi.cpp and assemblyscript.cpp have them. They get at the
   module's memory by shoal_wasm_at(), which traps like an access of the module itself. Modules have one memory and no exceptions; one
   module is in use at a time. Needs a stack of about 1 MiB (layout.h) for deep recursion; what goes deeper is a trap.  */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Memory is kept, and put back, by pages of 4 KiB. */
#define SHOAL_WASM_PAGE_BITS 12

#ifdef __cplusplus
extern "C" {
#endif

/* Why a call ended; from 1 on as wasm_rt_trap_t, then these. */
enum {
  SHOAL_WASM_RETURNED = 0,
  SHOAL_WASM_CANCELLED = 32, /* nobody waits any more for the request */
  SHOAL_WASM_NO_MEMORY,      /* the first memory or a table finds no room */
  SHOAL_WASM_ABORTED,        /* the module said so itself: proc_exit, abort */
};

void shoal_wasm_open(void* region, size_t bytes, void* instance, size_t instance_bytes);

/* Calls may stand within each other. */
int shoal_wasm_try(void (*body)(void* argument), void* argument);

/* Ends the innermost shoal_wasm_try(). What stands on the stack in between is thrown away. */
__attribute__((noreturn)) void shoal_wasm_leave(int why);

/* For people: "unreachable", "out of bounds". */
const char* shoal_wasm_name(int why);

/* `bytes` of the module's memory, to read or to write; traps if they are not there. */
void* shoal_wasm_at(uint32_t address, uint32_t bytes);

/* Memory is written to, by another way than generated code or shoal_wasm_at(). */
void shoal_wasm_note(const void* at, size_t bytes);

/* An import tells that it is going to work on so many bytes, some thousands at a time: it may be the guest's turn. */
void shoal_wasm_spend(size_t bytes);

/* Gives the guest its turn now. */
void shoal_wasm_take_turn(void);

/* How it is known which pages were written to since the snapshot. To be told before it. */
enum shoal_wasm_notes {
  SHOAL_WASM_NOTES_IN_CODE,   /* generated code notes them (steps.h) */
  SHOAL_WASM_NOTES_BY_FAULTS, /* the first write to a page faults; such a page is put back each time from then on. Not for large memories */
  SHOAL_WASM_NOTES_NOTHING,   /* it is not: all are put back. So it is, too, where pages cannot be watched (write_watch.h) */
};
void shoal_wasm_note_writes(enum shoal_wasm_notes notes);

/* The module never changes its tables: they are neither kept nor put back. To be told before the snapshot. */
void shoal_wasm_keeps_tables(void);

/* Whether steps give the guest its turn. At first they do not. */
void shoal_wasm_yields(bool yields);

/* False: there is no room for the copy. */
bool shoal_wasm_snapshot(void);
void shoal_wasm_restore(void);

/* What lies below `end` is of no use between calls, such as the module's own stack: neither kept nor put back. To be told before the snapshot. */
void shoal_wasm_ignore_below(uint32_t end);

/* For so long code may go on after its request was cancelled, to leave things whole. */
void shoal_wasm_grace(uint32_t ms);

/* The most pages of 64 KiB that the memory may have, where that is less than there is room for. */
void shoal_wasm_limit_pages(uint32_t pages);

/* Whether the memory could not grow, since the last restore() or forget(). */
bool shoal_wasm_lacked_memory(void);
void shoal_wasm_forget_lack(void);

/* How much of the region is in use. */
size_t shoal_wasm_used_bytes(void);

#ifdef __cplusplus
}
#endif
