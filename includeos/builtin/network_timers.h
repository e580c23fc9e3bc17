// The clock of lwIP. Its own would wake the machine four times a second for as long as there is any connection, and most links are idle
// most of the time: each of these wakes costs some exits.
#pragma once

#include <cstdint>

namespace shoal::builtin {

void network_timers_open();

/// To be called before what has come in is looked at: makes up for the ticks that were slept through, which found nothing to do.
void network_timers_wake();

/// To be called after: one tick, if it is time.
void network_timers_run();

/// When there is something to do next. To be called before sleeping.
uint64_t network_timers_due_ns();

}  // namespace shoal::builtin
