#include "console.h"

#include "clock.h"
#include "interrupts.h"
#include "shim.h"

namespace shoal::builtin {
namespace {

constexpr uint32_t kInterruptLine = 4;  // of the first ISA serial port
constexpr size_t kFifoBytes = 16;
constexpr size_t kFewLinesBytes = 512;

// A virtio device works beside the guest, on another thread of the host, which may have to wait for its turn.
constexpr uint64_t kDeviceTurnNs = 50'000'000;

size_t write_uart(const char* bytes, size_t size) { return size - shim_console_write(bytes, static_cast<uint32_t>(size)); }

}  // namespace

void Console::open() {
  interrupt_route(kInterruptLine, VECTOR_CONSOLE);
  shim_console_open();
}

void Console::divert(ConsolePort& port) {
  flush();
  port_ = &port;
}

bool Console::print(std::string_view text) {
  if (output_.add(text)) return true;
  flush_within(port_ != nullptr ? kDeviceTurnNs : 0);
  return output_.add(text);
}

void Console::flush() {
  output_.flush([&](const char* bytes, size_t size) { return port_ != nullptr ? port_->print(bytes, size) : write_uart(bytes, size); });
}

bool Console::flush_some(bool has_work) {
  const size_t waiting = output_.size();
  if (!has_work || waiting > kFewLinesBytes || port_ != nullptr) {
    flush();
    return output_.size() < waiting;
  }
  size_t taken = 0;
  output_.flush([&](const char* bytes, size_t size) {
    if (taken > 0) return size_t{0};
    taken = write_uart(bytes, size < kFifoBytes ? size : kFifoBytes);
    return taken;
  });
  return taken > 0;
}

void Console::flush_within(uint64_t limit_ns) {
  const uint64_t end_ns = clock_ns() + limit_ns;
  do {
    flush();
  } while ((has_output() || is_device_behind()) && clock_ns() < end_ns);
}

void Console::await_device() {
  if (port_ == nullptr) return;
  const uint64_t end_ns = clock_ns() + kDeviceTurnNs;
  while (is_device_behind() && clock_ns() < end_ns);
}

size_t Console::read(char* room, size_t size) { return shim_console_read(room, static_cast<uint32_t>(size)); }

}  // namespace shoal::builtin
