// Time: the TSC, measured once against the LAPIC timer, whose rate QEMU fixes at 1 GHz.
#pragma once

#include <cstdint>

namespace shoal::builtin {

void clock_open();

/// Nanoseconds since clock_open().
uint64_t clock_ns();

/// Nanoseconds spent in clock_sleep_until().
uint64_t clock_asleep_ns();

/// Sleeps until an interrupt, at the latest until that time.
void clock_sleep_until(uint64_t deadline_ns);

}  // namespace shoal::builtin
