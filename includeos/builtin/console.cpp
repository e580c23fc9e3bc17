#include "console.h"

#include "clock.h"
#include "interrupts.h"
#include "shim.h"

namespace shoal::builtin {
namespace {

constexpr uint32_t kInterruptLine = 4;  // of the first ISA serial port

}  // namespace

void Console::open() {
  interrupt_route(kInterruptLine, VECTOR_CONSOLE);
  shim_console_open();
}

bool Console::print(std::string_view text) {
  if (kRingSize - (written_ - read_) < text.size()) flush();
  if (kRingSize - (written_ - read_) < text.size()) return false;
  for (const char byte : text) ring_[written_++ % kRingSize] = byte;
  return true;
}

void Console::flush() {
  while (has_output()) {
    const size_t at = read_ % kRingSize;
    const size_t waiting = written_ - read_;
    const size_t part = waiting < kRingSize - at ? waiting : kRingSize - at;
    const size_t left = shim_console_write(ring_ + at, static_cast<uint32_t>(part));
    read_ += part - left;
    if (left > 0) return;
  }
}

void Console::flush_within(uint64_t limit_ns) {
  const uint64_t end_ns = clock_ns() + limit_ns;
  do {
    flush();
  } while (has_output() && clock_ns() < end_ns);
}

size_t Console::read(char* room, size_t size) { return shim_console_read(room, static_cast<uint32_t>(size)); }

}  // namespace shoal::builtin
