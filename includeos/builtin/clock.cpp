#include "clock.h"

#include "interrupts.h"
#include "shim.h"

namespace shoal::builtin {
namespace {

constexpr uint64_t kCalibrationNs = 400'000;
constexpr uint64_t kTimerMaxNs = 4'000'000'000;  // the timer's counter has 32 bits
constexpr uint64_t kNever = ~uint64_t{0};

uint64_t tsc_at_open = 0;
uint64_t ns_per_tsc_fixed = 0;  // 32 binary places
uint64_t asleep_ns = 0;
uint64_t timer_deadline_ns = kNever;

struct Moment {
  uint64_t tsc;
  uint32_t timer_left_ns;
};

/// Reads both clocks as one. Reading the timer may leave the guest for tens of microseconds: the quickest of some tries is the truest.
Moment read_both() {
  constexpr int kTries = 4;
  Moment best{};
  uint64_t best_width = kNever;
  for (int i = 0; i < kTries; i++) {
    const uint64_t before = read_tsc();
    const uint32_t left = timer_left();
    const uint64_t width = read_tsc() - before;
    if (width < best_width) {
      best_width = width;
      best = {before + width / 2, left};
    }
  }
  return best;
}

}  // namespace

void clock_open() {
  timer_start(kTimerMaxNs);
  const Moment first = read_both();
  Moment last = first;
  while (first.timer_left_ns - last.timer_left_ns < kCalibrationNs) last = read_both();
  timer_start(0);

  const uint64_t elapsed_ns = first.timer_left_ns - last.timer_left_ns;
  ns_per_tsc_fixed = (elapsed_ns << 32) / (last.tsc - first.tsc);
  tsc_at_open = first.tsc;
}

uint64_t clock_ns() {
  const uint64_t ticks = read_tsc() - tsc_at_open;
  return static_cast<uint64_t>((static_cast<unsigned __int128>(ticks) * ns_per_tsc_fixed) >> 32);
}

uint64_t clock_asleep_ns() { return asleep_ns; }

void clock_sleep_until(uint64_t deadline_ns) {
  const uint64_t before_ns = clock_ns();
  if (deadline_ns <= before_ns) return;
  if (take_interrupt(VECTOR_TIMER)) timer_deadline_ns = kNever;

  // A timer that rings too early costs a wake-up, starting it anew costs an exit each time: so leave it if it rings in time.
  if (timer_deadline_ns < before_ns || deadline_ns < timer_deadline_ns) {
    const uint64_t delay_ns = deadline_ns - before_ns;
    timer_start(static_cast<uint32_t>(delay_ns < kTimerMaxNs ? delay_ns : kTimerMaxNs));
    timer_deadline_ns = deadline_ns;
  }
  shim_sleep();
  asleep_ns += clock_ns() - before_ns;
}

}  // namespace shoal::builtin
