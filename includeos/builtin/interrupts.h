// The interrupt controllers: IOAPIC for the devices, LAPIC for the timer.
#pragma once

#include <cstdint>

namespace shoal::builtin {

void interrupts_open();

/// Routes a line of the IOAPIC to a vector, edge-triggered: a line that stays high must not interrupt without end.
void interrupt_route(uint32_t line, uint32_t vector);

/// Starts the one-shot timer, which counts nanoseconds.
void timer_start(uint32_t delay_ns);

/// What the timer has left, in nanoseconds.
uint32_t timer_left();

}  // namespace shoal::builtin
