#include "telemetry.h"

#include "shoal/text_writer.h"

namespace shoal {
namespace {

// Each line has a newline before it as well, so that a log fragment cannot swallow it.
constexpr std::string_view kLine = "\nshoal1 ";

constexpr size_t kOperationsListedMax = 64;

}  // namespace

void Telemetry::print_ready(const Settings& settings, const Service& service) {
  TextWriter<2048> line;
  line.add(kLine).add("ready v=1 bind=").add(settings.link_key.empty() ? settings.bind : "none").add(" addr=").add(settings.address);
  if (settings.link_key.empty()) line.add(" port=").add(settings.port);
  line.add(" max=").add(settings.payload_max);
  line.add(" idempotent=").add(service.idempotent ? "1" : "0");
  if (service.payload == Payload::bytes) line.add(" payload=bytes");
  line.add(" ops=");
  // As many as Shoal reads, and whole ones: a name that is cut off would be another operation.
  size_t listed = 0;
  for (const Operation& operation : service.operations) {
    if (listed == kOperationsListedMax || line.room() < operation.name.size() + 2) break;
    if (listed++ > 0) line.add(",");
    line.add_foreign(operation.name);
  }
  platform_.print(line.add("\n").text());
}

void Telemetry::print_status(uint64_t ram_bytes, uint64_t in_flight, uint64_t served) {
  const uint64_t now_ns = platform_.now_ns();
  const uint64_t asleep_ns = platform_.asleep_ns();
  const uint64_t elapsed_ns = now_ns - reported_ns_;
  const uint64_t slept_ns = asleep_ns - reported_asleep_ns_;
  const uint64_t busy_ns = slept_ns < elapsed_ns ? elapsed_ns - slept_ns : 0;
  const uint64_t busy_permille = elapsed_ns > 0 ? (busy_ns * 1000 + elapsed_ns / 2) / elapsed_ns : 0;
  reported_ns_ = now_ns;
  reported_asleep_ns_ = asleep_ns;

  TextWriter<256> line;
  line.add(kLine).add("status seq=").add(++sequence_);
  line.add(" cpu=").add(busy_permille / 10).add(".").add(busy_permille % 10);
  line.add(" ram=").add(ram_bytes).add(" inflight=").add(in_flight).add(" served=").add(served).add("\n");
  platform_.print(line.text());
}

bool Telemetry::print_relay(std::string_view text) {
  if (text.empty() || text.size() > kRelayMax) return false;
  for (const char c : text) {
    if (c < ' ' || c > '~') return false;
  }
  TextWriter<kRelayMax + 32> line;
  platform_.print(line.add(kLine).add("relay ").add(text).add("\n").text());
  return true;
}

void Telemetry::print_bye(std::string_view reason) {
  TextWriter<128> line;
  platform_.print(line.add(kLine).add("bye reason=").add(reason).add("\n").text());
}

void Telemetry::print_bad_argument(const BadArgument& bad) {
  TextWriter<512> line;
  line.add(kLine).add("bye reason=bad-argument key=").add(bad.key).add(" value=");
  line.add_foreign(bad.value).add(" why=").add(bad.reason).add("\n");
  platform_.print(line.text());
}

void Telemetry::print_bad_service(std::string_view why) {
  TextWriter<128> line;
  platform_.print(line.add(kLine).add("bye reason=bad-service why=").add(why).add("\n").text());
}

}  // namespace shoal
