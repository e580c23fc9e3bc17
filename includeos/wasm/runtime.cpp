#include "runtime.h"

#include <cstdarg>
#include <cstring>

#include "panic.h"
#include "resident.h"
#include "shoal/service.h"
#include "wasm-rt.h"
#include "write_watch.h"

extern "C" {

constinit int32_t shoal_wasm_countdown = 0;
constinit uintptr_t shoal_wasm_stack_limit = 0;

// Static, so that a write needs no pointer to it: hence the largest memory.
constexpr size_t kMemoryMax = 256 << 20;
constinit uint8_t shoal_wasm_written[kMemoryMax >> SHOAL_WASM_PAGE_BITS] = {};

extern char user_stack_bottom[];

}  // extern "C"

namespace {

constexpr size_t kPage = 1 << SHOAL_WASM_PAGE_BITS;
constexpr size_t kWasmPage = 65536;
constexpr uint32_t kRefused = 0xffffffff;

// Steps between two looks at the clock: some microseconds.
constexpr int32_t kStepsAtOnce = 500;

// What an import does takes longer than a copy (wasm/include/string.h).
constexpr size_t kBytesPerStep = 16;

// A start that takes longer says so: if it never ends, the VM is ended by a time limit that knows nothing of its reason.
constexpr uint64_t kSlowStartMs = 1000;

// What lies below the deepest frame of a module: the guest's own work while it yields.
constexpr size_t kStackReserve = 64 << 10;

constexpr size_t align_up(size_t size, size_t to) { return (size + to - 1) & ~(to - 1); }

/// A function's type as it was registered; its number is its place in the list.
struct FunctionType {
  FunctionType* next;
  uint32_t number;
  uint32_t param_count;
  uint32_t result_count;
  uint8_t types[];
};

/// Tables of both kinds look like this.
struct AnyTable {
  char* data;
  uint32_t max_size;
  uint32_t size;
};
static_assert(sizeof(AnyTable) == sizeof(wasm_rt_funcref_table_t) && sizeof(AnyTable) == sizeof(wasm_rt_externref_table_t));

struct TableNote {
  TableNote* next;
  AnyTable* table;
  size_t element_bytes;
  uint32_t capacity;
  char* first_data;  // as at the snapshot
  char* saved;
  uint32_t saved_size;
};

/// One memory, which grows from the region's start, and what is allocated for good, or until restore(), from its end.
struct State {
  char* region;
  size_t region_bytes;
  size_t top;         // what is allocated lies from here on
  size_t lowest_top;  // ever
  size_t clean_from;  // what lies behind was never written to, up to lowest_top
  void* instance;
  size_t instance_bytes;
  wasm_rt_memory_t* memory;
  uint32_t pages_max = kRefused;
  FunctionType* types;
  TableNote* tables;
  void** target;  // of shoal_wasm_leave()
  int left_why;
  bool yields;
  uint64_t slow_from_ms;  // when a start that goes on is slow; UINT64_MAX: there is none, or it was told
  shoal_wasm_notes notes;
  bool keeps_tables;
  bool lacked_memory;
  uint32_t grace_ms;
  uint64_t grace_end_ms;  // 0: the request is not cancelled

  // The snapshot. A page of zeros has no copy.
  char* saved_instance;
  uint32_t* saved_pages;  // for each page the number of its copy, from 1 on
  char* saved_bytes;
  size_t saved_count;
  size_t saved_top;
  size_t first_page;  // what lies ahead of it is ignored
};
constinit State state = {};

size_t memory_bytes() { return state.memory != nullptr ? size_t{state.memory->pages} * kWasmPage : 0; }

void* allocate(size_t bytes, size_t alignment = 16) {
  if (bytes > state.top) return nullptr;
  const size_t start = (state.top - bytes) & ~(alignment - 1);
  if (start < memory_bytes()) return nullptr;
  state.top = start;
  if (start < state.lowest_top) state.lowest_top = start;
  return state.region + start;
}

void* allocate_or_leave(size_t bytes) {
  void* const memory = allocate(bytes);
  if (memory == nullptr) shoal_wasm_leave(SHOAL_WASM_NO_MEMORY);
  return memory;
}

/// Fresh memory is zero; what was in use before is not.
void clear(size_t start, size_t end) {
  if (start < state.clean_from) memset(state.region + start, 0, (end < state.clean_from ? end : state.clean_from) - start);
  if (end > state.lowest_top) {
    const size_t from = start > state.lowest_top ? start : state.lowest_top;
    memset(state.region + from, 0, end - from);
  }
  if (end > state.clean_from) state.clean_from = end;
}

bool is_zero(const char* page) {
  const auto* words = reinterpret_cast<const uint64_t*>(page);
  for (size_t i = 0; i < kPage / sizeof(uint64_t); i += 8) {
    const uint64_t any = words[i] | words[i + 1] | words[i + 2] | words[i + 3] | words[i + 4] | words[i + 5] | words[i + 6] | words[i + 7];
    if (any != 0) return false;
  }
  return true;
}

/// How much of a page may have changed since the snapshot: all of it, or the end of a number that was written across its beginning.
size_t written_bytes(size_t page) {
  if (shoal_wasm_written[page] != 0 || state.notes == SHOAL_WASM_NOTES_NOTHING) return kPage;
  return state.notes == SHOAL_WASM_NOTES_IN_CODE && page > 0 && shoal_wasm_written[page - 1] != 0 ? sizeof(uint64_t) : 0;
}

TableNote& note_of(const AnyTable* table) {
  TableNote* note = state.tables;
  while (note->table != table) note = note->next;
  return *note;
}

void open_table(AnyTable* table, uint32_t elements, uint32_t max, size_t element_bytes) {
  auto* const note = static_cast<TableNote*>(allocate_or_leave(sizeof(TableNote)));
  auto* const data = static_cast<char*>(allocate_or_leave(elements * element_bytes));
  memset(data, 0, elements * element_bytes);
  *table = {data, max, elements};
  *note = {state.tables, table, element_bytes, elements, data, nullptr, 0};
  state.tables = note;
}

uint32_t grow_table(AnyTable* table, uint32_t delta, const void* init) {
  const uint32_t old_size = table->size;
  const uint64_t size = uint64_t{old_size} + delta;
  if (size > table->max_size) return kRefused;
  TableNote& note = note_of(table);
  if (size > note.capacity) {
    uint64_t capacity = size * 2 < table->max_size ? size * 2 : table->max_size;
    void* data = allocate(capacity * note.element_bytes);
    if (data == nullptr) {
      capacity = size;
      data = allocate(capacity * note.element_bytes);
    }
    if (data == nullptr) {
      state.lacked_memory = true;
      return kRefused;
    }
    memcpy(data, table->data, old_size * note.element_bytes);
    table->data = static_cast<char*>(data);
    note.capacity = static_cast<uint32_t>(capacity);
  }
  for (uint64_t i = old_size; i < size; i++) memcpy(table->data + i * note.element_bytes, init, note.element_bytes);
  table->size = static_cast<uint32_t>(size);
  shoal_wasm_take_turn();
  return old_size;
}

void tell_slow_start() {
  if (shoal_now_ms() < state.slow_from_ms) return;
  state.slow_from_ms = UINT64_MAX;
  shoal_log("service: what it runs at its start goes on and on: it must be quick\n");
  shoal::builtin::print_logged();
}

bool save_tables() {
  if (state.keeps_tables) return true;
  for (TableNote* note = state.tables; note != nullptr; note = note->next) {
    const size_t bytes = note->table->size * note->element_bytes;
    note->saved = static_cast<char*>(allocate(bytes));
    if (note->saved == nullptr) return false;
    memcpy(note->saved, note->table->data, bytes);
    note->first_data = note->table->data;
    note->saved_size = note->table->size;
  }
  return true;
}

bool watch_pages() {
  const size_t first = state.first_page;
  return shoal::builtin::watch_writes(state.region + first * kPage, (state.saved_count - first) * kPage, shoal_wasm_written + first);
}

void restore_tables() {
  if (state.keeps_tables) return;
  for (TableNote* note = state.tables; note != nullptr; note = note->next) {
    if (note->table->data != note->first_data) note->capacity = note->saved_size;
    note->table->data = note->first_data;
    note->table->size = note->saved_size;
    memcpy(note->first_data, note->saved, note->saved_size * note->element_bytes);
  }
}

}  // namespace

extern "C" {

void shoal_wasm_open(void* region, size_t bytes, void* instance, size_t instance_bytes) {
  state = {};
  state.pages_max = kRefused;
  state.slow_from_ms = shoal_now_ms() + kSlowStartMs;
  state.region = static_cast<char*>(region);
  state.region_bytes = state.top = state.lowest_top = bytes;
  state.instance = instance;
  state.instance_bytes = instance_bytes;
  shoal_wasm_stack_limit = reinterpret_cast<uintptr_t>(user_stack_bottom) + kStackReserve;
}

// Not to be merged with its caller, whose variables a jump would leave behind.
[[gnu::noinline]] int shoal_wasm_try(void (*body)(void* argument), void* argument) {
  void* here[5];
  void** volatile outer = state.target;
  if (__builtin_setjmp(here) == 0) {
    state.target = here;
    shoal_wasm_countdown = kStepsAtOnce;
    body(argument);
    state.target = outer;
    return SHOAL_WASM_RETURNED;
  }
  state.target = outer;
  return state.left_why;
}

[[gnu::noinline]] void shoal_wasm_leave(int why) {
  if (state.target == nullptr) shoal::builtin::panic("a trap outside of shoal_wasm_try");
  state.left_why = why;
  __builtin_longjmp(state.target, 1);
}

const char* shoal_wasm_name(int why) {
  switch (why) {
    case SHOAL_WASM_RETURNED: return "returned";
    case WASM_RT_TRAP_OOB: return "out of bounds";
    case WASM_RT_TRAP_INT_OVERFLOW: return "integer overflow";
    case WASM_RT_TRAP_DIV_BY_ZERO: return "integer divide by zero";
    case WASM_RT_TRAP_INVALID_CONVERSION: return "invalid conversion to integer";
    case WASM_RT_TRAP_UNREACHABLE: return "unreachable";
    case WASM_RT_TRAP_CALL_INDIRECT: return "invalid indirect call";
    case WASM_RT_TRAP_EXHAUSTION: return "call stack exhausted";
    case SHOAL_WASM_CANCELLED: return "cancelled";
    case SHOAL_WASM_NO_MEMORY: return "out of memory";
    case SHOAL_WASM_ABORTED: return "aborted";
    default: return "unknown";
  }
}

void* shoal_wasm_at(uint32_t address, uint32_t bytes) {
  if (uint64_t{address} + bytes > memory_bytes()) shoal_wasm_leave(WASM_RT_TRAP_OOB);
  shoal_wasm_note(state.region + address, bytes);
  return state.region + address;
}

void shoal_wasm_note(const void* at, size_t bytes) {
  if (bytes == 0 || state.notes != SHOAL_WASM_NOTES_IN_CODE) return;
  const size_t start = static_cast<size_t>(static_cast<const char*>(at) - state.region);
  if (start >= memory_bytes()) return;  // a table
  for (size_t page = start / kPage; page <= (start + bytes - 1) / kPage; page++) shoal_wasm_written[page] = 1;
}

void shoal_wasm_take_turn() {
  shoal_wasm_countdown = kStepsAtOnce;
  if (!state.yields) return tell_slow_start();
  if (shoal_yield()) return;
  const uint64_t now_ms = shoal_now_ms();
  if (state.grace_end_ms == 0) state.grace_end_ms = now_ms + state.grace_ms;
  if (now_ms >= state.grace_end_ms) shoal_wasm_leave(SHOAL_WASM_CANCELLED);
}

void shoal_wasm_spend(size_t bytes) {
  shoal_wasm_countdown -= static_cast<int32_t>(bytes / kBytesPerStep);
  if (shoal_wasm_countdown < 0) shoal_wasm_take_turn();
}

void shoal_wasm_exhausted() { shoal_wasm_leave(WASM_RT_TRAP_EXHAUSTION); }

void shoal_wasm_yields(bool yields) {
  state.yields = yields;
  state.grace_end_ms = 0;
}

void shoal_wasm_grace(uint32_t ms) { state.grace_ms = ms; }

void shoal_wasm_ignore_below(uint32_t end) { state.first_page = end / kPage; }

void shoal_wasm_note_writes(enum shoal_wasm_notes notes) { state.notes = notes; }

void shoal_wasm_keeps_tables() { state.keeps_tables = true; }

bool shoal_wasm_snapshot() {
  state.slow_from_ms = UINT64_MAX;
  const size_t count = memory_bytes() / kPage;
  size_t copies = 0;
  for (size_t i = state.first_page; i < count; i++) copies += is_zero(state.region + i * kPage) ? 0 : 1;
  state.saved_instance = static_cast<char*>(allocate(state.instance_bytes));
  state.saved_pages = static_cast<uint32_t*>(allocate(count * sizeof(uint32_t)));
  state.saved_bytes = static_cast<char*>(allocate(copies * kPage, kPage));
  if (state.saved_instance == nullptr || state.saved_pages == nullptr || state.saved_bytes == nullptr || !save_tables()) return false;
  state.saved_count = count;
  uint32_t copy = 0;
  for (size_t i = state.first_page; i < count; i++) {
    const char* const page = state.region + i * kPage;
    state.saved_pages[i] = is_zero(page) ? 0 : ++copy;
    if (state.saved_pages[i] != 0) memcpy(state.saved_bytes + (copy - 1) * kPage, page, kPage);
  }
  memcpy(state.saved_instance, state.instance, state.instance_bytes);
  state.saved_top = state.top;
  memset(shoal_wasm_written, 0, state.saved_count);
  if (state.notes == SHOAL_WASM_NOTES_BY_FAULTS && !watch_pages()) state.notes = SHOAL_WASM_NOTES_NOTHING;
  return true;
}

void shoal_wasm_restore() {
  restore_tables();
  memcpy(state.instance, state.saved_instance, state.instance_bytes);
  for (size_t i = state.first_page; i < state.saved_count; i++) {
    char* const page = state.region + i * kPage;
    const size_t bytes = written_bytes(i);
    if (bytes == 0) continue;
    if (state.saved_pages[i] != 0) {
      memcpy(page, state.saved_bytes + (state.saved_pages[i] - 1) * kPage, bytes);
    } else if (state.notes == SHOAL_WASM_NOTES_IN_CODE || !is_zero(page)) {  // a look costs less than a write, and the host has no memory for what was never written to
      memset(page, 0, bytes);
    }
  }
  if (state.notes == SHOAL_WASM_NOTES_IN_CODE) memset(shoal_wasm_written, 0, state.saved_count);
  state.top = state.saved_top;
  state.lacked_memory = false;
}

void shoal_wasm_limit_pages(uint32_t pages) { state.pages_max = pages; }
bool shoal_wasm_lacked_memory() { return state.lacked_memory; }
void shoal_wasm_forget_lack() { state.lacked_memory = false; }

size_t shoal_wasm_used_bytes() { return memory_bytes() + (state.region_bytes - state.top); }

// What generated code calls: wasm-rt.h says what each does.

void wasm_rt_init() {}
bool wasm_rt_is_initialized() { return true; }
void wasm_rt_free() {}
void wasm_rt_trap(wasm_rt_trap_t trap) { shoal_wasm_leave(trap); }

uint32_t wasm_rt_register_func_type(uint32_t param_count, uint32_t result_count, ...) {
  const size_t count = size_t{param_count} + result_count;
  auto* const fresh = static_cast<FunctionType*>(allocate_or_leave(sizeof(FunctionType) + count));
  va_list types;
  va_start(types, result_count);
  for (size_t i = 0; i < count; i++) fresh->types[i] = static_cast<uint8_t>(va_arg(types, int));
  va_end(types);
  for (const FunctionType* type = state.types; type != nullptr; type = type->next) {
    if (type->param_count != param_count || type->result_count != result_count) continue;
    if (memcmp(type->types, fresh->types, count) == 0) return type->number;
  }
  fresh->next = state.types;
  fresh->number = state.types != nullptr ? state.types->number + 1 : 1;
  fresh->param_count = param_count;
  fresh->result_count = result_count;
  state.types = fresh;
  return fresh->number;
}

void wasm_rt_allocate_memory(wasm_rt_memory_t* memory, uint32_t pages, uint32_t pages_max) {
  if (state.memory != nullptr || pages * kWasmPage > kMemoryMax || pages * kWasmPage > state.top) shoal_wasm_leave(SHOAL_WASM_NO_MEMORY);
  clear(0, pages * kWasmPage);
  *memory = {};
  memory->data = reinterpret_cast<uint8_t*>(state.region);
  memory->pages = pages;
  memory->max_pages = pages_max;
  memory->size = static_cast<uint32_t>(pages * kWasmPage);
  state.memory = memory;
}

uint32_t wasm_rt_grow_memory(wasm_rt_memory_t* memory, uint32_t delta) {
  const uint32_t old_pages = memory->pages;
  const uint64_t pages = uint64_t{old_pages} + delta;
  if (pages > memory->max_pages || pages > state.pages_max || pages * kWasmPage > kMemoryMax || pages * kWasmPage > state.top) {
    state.lacked_memory = true;
    return kRefused;
  }
  clear(memory->size, pages * kWasmPage);
  memory->pages = static_cast<uint32_t>(pages);
  memory->size = static_cast<uint32_t>(pages * kWasmPage);
  shoal_wasm_countdown -= static_cast<int32_t>(delta * (kWasmPage >> 7));
  if (shoal_wasm_countdown < 0) shoal_wasm_take_turn();
  return old_pages;
}

void wasm_rt_free_memory(wasm_rt_memory_t*) {}

void wasm_rt_allocate_funcref_table(wasm_rt_funcref_table_t* table, uint32_t elements, uint32_t max) {
  open_table(reinterpret_cast<AnyTable*>(table), elements, max, sizeof(wasm_rt_funcref_t));
}
void wasm_rt_allocate_externref_table(wasm_rt_externref_table_t* table, uint32_t elements, uint32_t max) {
  open_table(reinterpret_cast<AnyTable*>(table), elements, max, sizeof(wasm_rt_externref_t));
}
uint32_t wasm_rt_grow_funcref_table(wasm_rt_funcref_table_t* table, uint32_t delta, wasm_rt_funcref_t init) {
  return grow_table(reinterpret_cast<AnyTable*>(table), delta, &init);
}
uint32_t wasm_rt_grow_externref_table(wasm_rt_externref_table_t* table, uint32_t delta, wasm_rt_externref_t init) {
  return grow_table(reinterpret_cast<AnyTable*>(table), delta, &init);
}
void wasm_rt_free_funcref_table(wasm_rt_funcref_table_t*) {}
void wasm_rt_free_externref_table(wasm_rt_externref_table_t*) {}

}  // extern "C"
