#include "interrupts.h"

#include "shim.h"

namespace shoal::builtin {
namespace {

constexpr uintptr_t kLapic = 0xfee00000;
constexpr uintptr_t kLapicSpurious = kLapic + 0xf0;
constexpr uintptr_t kLapicTimer = kLapic + 0x320;
constexpr uintptr_t kLapicTimerInitial = kLapic + 0x380;
constexpr uintptr_t kLapicTimerCurrent = kLapic + 0x390;
constexpr uintptr_t kLapicTimerDivide = kLapic + 0x3e0;
constexpr uint32_t kLapicEnabled = 0x100;
constexpr uint32_t kDivideByOne = 0xb;

constexpr uintptr_t kIoapicSelect = 0xfec00000;
constexpr uintptr_t kIoapicData = 0xfec00010;
constexpr uint32_t kIoapicRedirection = 0x10;

}  // namespace

void interrupts_open() {
  write_device(kLapicSpurious, kLapicEnabled | VECTOR_SPURIOUS);
  write_device(kLapicTimerDivide, kDivideByOne);
  write_device(kLapicTimer, VECTOR_TIMER);
}

void interrupt_route(uint32_t line, uint32_t vector) {
  // The high half names the processor with APIC id 0 since the reset.
  write_device(kIoapicSelect, kIoapicRedirection + 2 * line);
  write_device(kIoapicData, vector);
}

void timer_start(uint32_t delay_ns) { write_device(kLapicTimerInitial, delay_ns); }

uint32_t timer_left() { return read_device(kLapicTimerCurrent); }

}  // namespace shoal::builtin
