// Runs the commands of a test file on the guest's runtime, as a program of this machine, and is what modules may import from `spectest`.
#include "host.h"

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "runtime.h"
#include "wasm-rt.h"

extern "C" {
char user_stack_bottom[1];
extern uintptr_t shoal_wasm_stack_limit;
}

bool shoal_yield() { return true; }
uint64_t shoal_now_ms() { return 0; }
bool shoal_log(std::string_view) { return true; }

namespace shoal::builtin {
void print_logged() {}

/// Here nobody sees page faults: generated code notes its writes.
bool watch_writes(const char*, size_t, uint8_t*) { return false; }

[[noreturn]] void panic(std::string_view why) {
  std::fprintf(stderr, "panic: %.*s\n", static_cast<int>(why.size()), why.data());
  std::abort();
}
}  // namespace shoal::builtin

namespace {

// More than the largest memory of a module. The kernel has pages for what is written to only.
constexpr size_t kRegion = 512 << 20;
// As in an image (layout.h); below it are this program's own frames.
constexpr uintptr_t kStack = 1 << 20;

constexpr uint32_t kMemoryPages = 1;
constexpr uint32_t kMemoryPagesMax = 2;
constexpr uint32_t kTableElements = 10;
constexpr uint32_t kTableElementsMax = 20;

void* region = nullptr;
/// Commands are done once, and then again after their module was put back.
struct Round {
  const char* prefix;
  int held;
};
Round first = {"", 0};
Round again = {"after it was put back: ", 0};
int bad = 0;

/// What the module in use imports. Its memory counts as the module's only one.
struct Imports {
  wasm_rt_memory_t memory;
  bool has_memory;
  wasm_rt_funcref_table_t table;
  bool has_table;
  uint32_t global_i32;
  uint64_t global_i64;
  float global_f32;
  double global_f64;
};
Imports imports = {};

void open(void* instance, size_t instance_bytes) {
  if (region != nullptr) munmap(region, kRegion);
  region = mmap(nullptr, kRegion, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (region == MAP_FAILED) shoal::builtin::panic("no memory");
  imports = {{}, false, {}, false, 666, 666, 666.6F, 666.6};
  memset(instance, 0, instance_bytes);
  shoal_wasm_open(region, kRegion, instance, instance_bytes);
  shoal_wasm_yields(true);
  shoal_wasm_stack_limit = reinterpret_cast<uintptr_t>(__builtin_frame_address(0)) - kStack;
}

void complain(const char* module, int line, const char* what) {
  std::printf("%s, line %d: %s\n", module, line, what);
  bad++;
}

void check(const char* module, const command& command, Round& round) {
  int ok = 1;
  const int why = shoal_wasm_try(command.body, &ok);
  const std::string_view end = shoal_wasm_name(why);
  const bool ends_well = command.end == std::string_view("a trap") ? why != SHOAL_WASM_RETURNED : end == command.end;
  if (ok != 0 && ends_well) {
    round.held++;
    return;
  }
  char text[256];
  std::snprintf(text, sizeof text, "%s%s, and should be %s%s", round.prefix, end.data(), command.end, ok != 0 ? "" : "; another result");
  complain(module, command.line, text);
}

}  // namespace

extern "C" {

void run_module(const char* name, void* instance, size_t instance_bytes, command start, const command* commands, size_t count) {
  open(instance, instance_bytes);
  check(name, start, first);
  if (start.end != std::string_view("returned")) return;
  if (!shoal_wasm_snapshot()) return complain(name, start.line, "no room for the snapshot");
  for (size_t i = 0; i < count; i++) check(name, commands[i], first);
  // An imported memory's size is no part of the instance, and not put back.
  if (imports.has_memory) return;
  shoal_wasm_restore();
  for (size_t i = 0; i < count; i++) check(name, commands[i], again);
}

int report() {
  std::printf("%d %d %d\n", first.held, again.held, bad);
  return bad == 0 ? 0 : 1;
}

// The functions' parameters are left out: old files import them with others.
void Z_spectestZ_print(void*) {}
void Z_spectestZ_print_i32(void*) {}
void Z_spectestZ_print_i64(void*) {}
void Z_spectestZ_print_f32(void*) {}
void Z_spectestZ_print_f64(void*) {}
void Z_spectestZ_print_i32_f32(void*) {}
void Z_spectestZ_print_f64_f64(void*) {}
uint32_t* Z_spectestZ_global_i32(void*) { return &imports.global_i32; }
uint64_t* Z_spectestZ_global_i64(void*) { return &imports.global_i64; }
float* Z_spectestZ_global_f32(void*) { return &imports.global_f32; }
double* Z_spectestZ_global_f64(void*) { return &imports.global_f64; }

wasm_rt_memory_t* Z_spectestZ_memory(void*) {
  if (!imports.has_memory) wasm_rt_allocate_memory(&imports.memory, kMemoryPages, kMemoryPagesMax);
  imports.has_memory = true;
  return &imports.memory;
}
wasm_rt_funcref_table_t* Z_spectestZ_table(void*) {
  if (!imports.has_table) wasm_rt_allocate_funcref_table(&imports.table, kTableElements, kTableElementsMax);
  imports.has_table = true;
  return &imports.table;
}

}  // extern "C"
