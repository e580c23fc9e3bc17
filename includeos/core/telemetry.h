// The guest's lines on its console: "shoal1 KIND key=value ...".
#pragma once

#include <cstdint>
#include <string_view>

#include "platform.h"
#include "settings.h"
#include "shoal/service.h"

namespace shoal {

class Telemetry {
 public:
  explicit Telemetry(Platform& platform) : platform_(platform) {}

  void print_ready(const Settings& settings, const Service& service);

  /// The load since the report before.
  void print_status(uint64_t ram_bytes, uint64_t in_flight, uint64_t served);

  static constexpr size_t kRelayMax = 512;

  /// A command of the server, unchanged. False: it is not one line of printable characters.
  bool print_relay(std::string_view text);

  void print_bye(std::string_view reason);
  void print_bad_argument(const BadArgument& bad);

  /// The service itself cannot be used; `why` is a word.
  void print_bad_service(std::string_view why);

 private:
  Platform& platform_;
  uint64_t sequence_ = 0;
  uint64_t reported_ns_ = 0;
  uint64_t reported_asleep_ns_ = 0;
};

}  // namespace shoal
