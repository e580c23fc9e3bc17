#include "network_timers.h"

#include "clock.h"

extern "C" {
#include "lwip/etharp.h"
#include "lwip/priv/tcp_priv.h"
}

namespace shoal::builtin {
namespace {

constexpr uint64_t kNsPerMs = 1'000'000;
constexpr uint64_t kTickNs = TCP_TMR_INTERVAL * kNsPerMs;
constexpr unsigned kTicksPerArp = ARP_TMR_INTERVAL / TCP_TMR_INTERVAL;

// Connections are probed, and others given up, after tens of seconds: late by so many ticks is early enough for that.
constexpr unsigned kRestTicks = 16;

uint64_t tick_due_ns = 0;
unsigned ticks = 0;
bool resting = false;

void tick() {
  tcp_tmr();
  if (++ticks % kTicksPerArp == 0) etharp_tmr();
}

/// Nothing is on its way on any connection: no tick has anything to repeat, to acknowledge or to hand on.
bool may_rest() {
  for (const tcp_pcb* pcb = tcp_active_pcbs; pcb != nullptr; pcb = pcb->next) {
    if (pcb->unsent != nullptr || pcb->unacked != nullptr || pcb->refused_data != nullptr) return false;
    if ((pcb->flags & (TF_ACK_DELAY | TF_CLOSEPEND)) != 0) return false;
  }
  return true;
}

}  // namespace

void network_timers_open() { tick_due_ns = clock_ns() + kTickNs; }

void network_timers_wake() {
  if (!resting) return;
  resting = false;
  const uint64_t now_ns = clock_ns();
  for (unsigned made_up = 0; made_up < kRestTicks && tick_due_ns <= now_ns; made_up++) {
    tick();
    tick_due_ns += kTickNs;
  }
}

void network_timers_run() {
  const uint64_t now_ns = clock_ns();
  if (now_ns < tick_due_ns) return;
  tick();
  // From now: a machine that stood still must not repeat everything at once.
  tick_due_ns = now_ns + kTickNs;
}

uint64_t network_timers_due_ns() {
  resting = may_rest();
  return resting ? tick_due_ns + (kRestTicks - 1) * kTickNs : tick_due_ns;
}

}  // namespace shoal::builtin
