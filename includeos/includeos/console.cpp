#include "console.h"

namespace shoal::on_includeos {
namespace {

constexpr uint16_t kData = 0x3f8;
constexpr uint16_t kFifoControl = 0x3fa;
constexpr uint16_t kLineStatus = 0x3fd;
constexpr uint16_t kDebugExit = 0xf4;

constexpr uint8_t kFifoEnable = 0x01;
constexpr uint8_t kInputReady = 0x01;
constexpr uint8_t kFifoEmpty = 0x20;  // what is to be sent
constexpr size_t kFifoSize = 16;

uint8_t read_port(uint16_t port) {
  uint8_t value = 0;
  asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

void write_port(uint16_t port, uint8_t value) { asm volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }

/// Returns how many bytes the UART has taken.
size_t write_uart(const char* bytes, size_t size) {
  size_t taken = 0;
  while (taken < size && (read_port(kLineStatus) & kFifoEmpty) != 0) {
    for (size_t i = 0; i < kFifoSize && taken < size; i++) write_port(kData, static_cast<uint8_t>(bytes[taken++]));
  }
  return taken;
}

}  // namespace

Console::Console() { write_port(kFifoControl, kFifoEnable); }

bool Console::print(std::string_view text) {
  if (output_.add(text)) return true;
  flush();
  return output_.add(text);
}

void Console::flush() { output_.flush(write_uart); }

size_t read_console(char* room, size_t size) {
  size_t count = 0;
  while (count < size && (read_port(kLineStatus) & kInputReady) != 0) room[count++] = static_cast<char>(read_port(kData));
  return count;
}

void print_raw(std::string_view text) {
  constexpr int kTriesMax = 100'000;
  for (int i = 0; i < kTriesMax && !text.empty(); i++) text.remove_prefix(write_uart(text.data(), text.size()));
}

void debug_exit(uint8_t code) { write_port(kDebugExit, code); }

}  // namespace shoal::on_includeos
