#include "console.h"

namespace shoal::on_includeos {
namespace {

constexpr uint16_t kData = 0x3f8;
constexpr uint16_t kLineStatus = 0x3fd;
constexpr uint16_t kDebugExit = 0xf4;

uint8_t read_port(uint16_t port) {
  uint8_t value = 0;
  asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

}  // namespace

size_t read_console(char* room, size_t size) {
  size_t count = 0;
  while (count < size && (read_port(kLineStatus) & 1) != 0) room[count++] = static_cast<char>(read_port(kData));
  return count;
}

void debug_exit(uint8_t code) { asm volatile("outb %0, %1" : : "a"(code), "Nd"(kDebugExit)); }

}  // namespace shoal::on_includeos
