// What the command line tells the guest: "shoal.id=1 shoal.bind=10.0.2.15/24 ...".
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace shoal {

struct Settings {
  uint64_t id = 0;
  uint32_t bind_address = 0;  // IPv4, the first number in the lowest byte, as it goes over the wire
  unsigned bind_prefix = 0;
  uint32_t gateway = 0;
  uint16_t port = 0;
  uint64_t status_interval_ms = 0;
  size_t payload_max = 0;

  std::string_view bind;  // as they stood there: the ready line repeats them
  std::string_view address;

  std::string_view link_key;  // of the port over which the link goes (PortLink); empty: over the network. With a port, there is no network.
};

/// What was wrong with the command line.
struct BadArgument {
  std::string_view key;
  std::string_view value;  // empty if there was none
  std::string_view reason;
};

/// Unknown keys are not ours; of a key that is there twice the first counts. True: `settings` is complete; else `bad` says why not.
bool read_settings(std::string_view command_line, Settings& settings, BadArgument& bad);

/// Reads a whole text as a decimal number; false: not one, or larger than `max`.
bool read_decimal(std::string_view text, uint64_t max, uint64_t& value);

}  // namespace shoal
