// The part of WASI (snapshot preview 1) that a guest has something for: output to the log, a clock, random numbers. The rest of what is
// here tells that there is nothing: no arguments, no environment, no files.
#include "wasi.h"

#include "log_lines.h"
#include "runtime.h"
#include "shoal/service.h"

namespace {

constexpr uint32_t kSuccess = 0;
constexpr uint32_t kBadDescriptor = 8;
constexpr uint32_t kInvalid = 28;
constexpr uint32_t kNotSeekable = 70;

constexpr uint64_t kNsPerMs = 1'000'000;

constinit shoal::wasm::LogLines output;
constinit shoal::wasm::LogLines errors;

template <typename Value>
void put(uint32_t address, Value value) {
  __builtin_memcpy(shoal_wasm_at(address, sizeof value), &value, sizeof value);
}

uint32_t get(uint32_t address) {
  uint32_t value;
  __builtin_memcpy(&value, shoal_wasm_at(address, sizeof value), sizeof value);
  return value;
}

// How much of a long piece of work is done before the guest may have its turn.
constexpr uint32_t kAtOnce = 4096;

uint32_t part_of(uint32_t size) { return size < kAtOnce ? size : kAtOnce; }

bool is_output(uint32_t descriptor) { return descriptor == 1 || descriptor == 2; }

bool has_rdrand() {
  uint32_t a = 1, b = 0, c = 0, d = 0;
  __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  return (c >> 30 & 1) != 0;
}

uint64_t processor_random() {
  uint64_t value = 0;
  bool came = false;
  for (int tries = 0; tries < 10 && !came; tries++) __asm__ volatile("rdrand %0" : "=r"(value), "=@ccc"(came));
  return came ? value : 0;
}

constinit uint64_t random_state = 0;

/// From what the processor has, which may be no more than a count of its cycles. Asking it takes long under some hypervisors.
void stir_random() {
  static constinit int rdrand = -1;
  if (rdrand < 0) rdrand = has_rdrand() ? 1 : 0;
  random_state += __builtin_ia32_rdtsc();
  if (rdrand == 1) random_state ^= processor_random();
}

/// SplitMix64.
uint64_t random_word() {
  random_state += 0x9e3779b97f4a7c15;
  uint64_t word = random_state;
  word = (word ^ word >> 30) * 0xbf58476d1ce4e5b9;
  word = (word ^ word >> 27) * 0x94d049bb133111eb;
  return word ^ word >> 31;
}

}  // namespace

namespace shoal::wasm {

void print(std::string_view text) { output.add(text); }

void flush_output() {
  output.flush();
  errors.flush();
}

double random_fraction() {
  stir_random();
  return static_cast<double>(random_word() >> 11) * 0x1p-53;
}

}  // namespace shoal::wasm

// As wasm2c declares imports: Z_<module>Z_<name>, the importing module's link first.
#define WASI(result, name, ...) result Z_wasi_snapshot_preview1Z_##name(void* __VA_OPT__(, ) __VA_ARGS__)

extern "C" {

WASI(uint32_t, fd_write, uint32_t descriptor, uint32_t vectors, uint32_t count, uint32_t written_at) {
  if (!is_output(descriptor)) return kBadDescriptor;
  if (count > 1024) return kInvalid;
  auto& lines = descriptor == 1 ? output : errors;
  uint32_t written = 0;
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t size = get(vectors + 8 * i + 4);
    const auto* const text = static_cast<const char*>(shoal_wasm_at(get(vectors + 8 * i), size));
    for (uint32_t done = 0; done < size;) {
      const uint32_t part = part_of(size - done);
      shoal_wasm_spend(part);
      lines.add({text + done, part});
      done += part;
    }
    written += size;
  }
  put(written_at, written);
  return kSuccess;
}

WASI(uint32_t, fd_close, uint32_t descriptor) { return is_output(descriptor) ? kSuccess : kBadDescriptor; }

WASI(uint32_t, fd_seek, uint32_t descriptor, uint64_t, uint32_t, uint32_t) {
  return is_output(descriptor) ? kNotSeekable : kBadDescriptor;
}

WASI(uint32_t, fd_fdstat_get, uint32_t descriptor, uint32_t at) {
  if (!is_output(descriptor)) return kBadDescriptor;
  constexpr uint8_t kCharacterDevice = 2;
  constexpr uint64_t kMayWrite = 1 << 6;
  put(at, uint64_t{kCharacterDevice});
  put(at + 8, kMayWrite);
  put(at + 16, uint64_t{0});
  return kSuccess;
}

// A guest knows no time but the one since its start, for all clocks.
WASI(uint32_t, clock_time_get, uint32_t clock, uint64_t, uint32_t at) {
  if (clock > 3) return kInvalid;
  put(at, shoal_now_ms() * kNsPerMs);
  return kSuccess;
}

WASI(uint32_t, clock_res_get, uint32_t clock, uint32_t at) {
  if (clock > 3) return kInvalid;
  put(at, kNsPerMs);
  return kSuccess;
}

WASI(uint32_t, random_get, uint32_t at, uint32_t size) {
  auto* const bytes = static_cast<uint8_t*>(shoal_wasm_at(at, size));
  for (uint32_t i = 0; i < size; i += 8) {
    if (i % kAtOnce == 0) {
      shoal_wasm_spend(part_of(size - i));
      stir_random();
    }
    const uint64_t word = random_word();
    __builtin_memcpy(bytes + i, &word, size - i < 8 ? size - i : 8);
  }
  return kSuccess;
}

WASI(uint32_t, environ_get, uint32_t, uint32_t) { return kSuccess; }
WASI(uint32_t, environ_sizes_get, uint32_t count_at, uint32_t size_at) {
  put(count_at, uint32_t{0});
  put(size_at, uint32_t{0});
  return kSuccess;
}
WASI(uint32_t, args_get, uint32_t, uint32_t) { return kSuccess; }
WASI(uint32_t, args_sizes_get, uint32_t count_at, uint32_t size_at) {
  put(count_at, uint32_t{0});
  put(size_at, uint32_t{0});
  return kSuccess;
}

WASI(uint32_t, sched_yield) {
  shoal_wasm_take_turn();
  return kSuccess;
}

WASI(void, proc_exit, uint32_t) { shoal_wasm_leave(SHOAL_WASM_ABORTED); }

}  // extern "C"
