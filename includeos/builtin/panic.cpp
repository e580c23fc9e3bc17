#include "panic.h"

#include <cstdint>

#include "shim.h"
#include "shoal/text_writer.h"

namespace shoal::builtin {
namespace {

/// Straight to the UART: what waits in the console's ring may be part of what is broken.
void print_raw(std::string_view text) {
  constexpr int kTriesMax = 100'000;
  auto left = static_cast<uint32_t>(text.size());
  for (int i = 0; i < kTriesMax && left > 0; i++) left = shim_console_write(text.data() + text.size() - left, left);
}

extern "C" const volatile uint64_t fault_report[4];

}  // namespace

void panic(std::string_view why) {
  await_console();
  print_raw("\npanic: ");
  print_raw(why);
  print_raw("\n\nshoal1 bye reason=panic\n");
  shim_power_off(POWER_OFF_PANIC);
}

/// The shim comes here, on a stack of its own, after an exception.
extern "C" [[noreturn]] void panic_after_fault() {
  TextWriter<160> why;
  why.add("exception ").add(fault_report[0]).add(" code=").add(fault_report[1], 16);
  why.add(" rip=").add(fault_report[2], 16).add(" address=").add(fault_report[3], 16);
  panic(why.text());
}

}  // namespace shoal::builtin

// What the compiler and lwIP call when something cannot be.
extern "C" void __cxa_pure_virtual() { shoal::builtin::panic("pure virtual call"); }
extern "C" void shoal_lwip_failed(const char* what) { shoal::builtin::panic(what); }
