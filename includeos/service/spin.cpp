// Computes for a given time: for load tests.
#include "number.h"
#include "operations.h"
#include "shoal/text_writer.h"

namespace shoal {
namespace {

constexpr uint64_t kDefaultMs = 100;
constexpr uint64_t kMaxMs = 600'000;

bool refuse(std::string_view text, Reply& reply) {
  TextWriter<160> why;
  why.add("expected a number of milliseconds from 0 to ").add(kMaxMs).add(", got \"").add_foreign(text, 32).add("\"");
  return reply.fail(400, why.text());
}

}  // namespace

bool run_spin(const Request& request, Reply& reply) {
  uint64_t duration_ms = request.text.empty() ? kDefaultMs : 0;
  for (const char digit : request.text) {
    if (digit < '0' || digit > '9') return refuse(request.text, reply);
    duration_ms = duration_ms * 10 + static_cast<uint64_t>(digit - '0');
    if (duration_ms > kMaxMs) return refuse(request.text, reply);
  }

  const uint64_t end_ms = shoal_now_ms() + duration_ms;
  while (shoal_now_ms() < end_ms) {
    for (int work = 0; work < 1000; work++) asm volatile("" : : "r"(work));
    if (!shoal_yield()) return false;
  }
  return reply.write("spun ") && write_number(reply, duration_ms);
}

}  // namespace shoal
