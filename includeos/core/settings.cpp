#include "settings.h"

#include "frame.h"
#include "port_link.h"

namespace shoal {
namespace {

constexpr uint64_t kStatusIntervalMaxMs = 3'600'000;

bool find_value(std::string_view command_line, std::string_view key, std::string_view& value) {
  while (!command_line.empty()) {
    const size_t blank = command_line.find(' ');
    std::string_view word = blank == std::string_view::npos ? command_line : std::string_view(command_line.data(), blank);
    command_line.remove_prefix(blank == std::string_view::npos ? command_line.size() : blank + 1);
    if (!word.starts_with(key) || word.size() == key.size() || word[key.size()] != '=') continue;
    word.remove_prefix(key.size() + 1);
    value = word;
    return true;
  }
  return false;
}

/// Cuts `text` at the first `separator`; false: there is none.
bool split(std::string_view text, char separator, std::string_view& before, std::string_view& after) {
  const size_t at = text.find(separator);
  if (at == std::string_view::npos) return false;
  before = {text.data(), at};
  after = {text.data() + at + 1, text.size() - at - 1};
  return true;
}

bool read_ipv4(std::string_view text, uint32_t& address) {
  address = 0;
  for (unsigned i = 0; i < 4; i++) {
    std::string_view part = text;
    std::string_view rest;
    if (i < 3 && !split(text, '.', part, rest)) return false;
    uint64_t number = 0;
    if (!read_decimal(part, 255, number)) return false;
    address |= static_cast<uint32_t>(number) << (8 * i);
    text = rest;
  }
  return address != 0;
}

bool read_port(std::string_view text, uint64_t& port) { return read_decimal(text, 65535, port) && port > 0; }

/// The keys one by one, in the order in which they are complained about.
class Reader {
 public:
  Reader(std::string_view command_line, BadArgument& bad) : command_line_(command_line), bad_(bad) {}

  template <typename Use>
  bool read(std::string_view key, std::string_view reason, Use use) {
    std::string_view value;
    if (!find_value(command_line_, key, value)) {
      bad_ = {key, {}, "missing"};
      return false;
    }
    if (use(value)) return true;
    bad_ = {key, value, reason};
    return false;
  }

 private:
  std::string_view command_line_;
  BadArgument& bad_;
};

/// The address that the guest takes, and the port that it listens on.
bool read_network(Reader& reader, Settings& settings) {
  uint64_t number = 0;
  std::string_view host;
  std::string_view suffix;
  if (!reader.read("shoal.bind", "not-address/prefix", [&](std::string_view value) {
        settings.bind = value;
        if (!split(value, '/', host, suffix) || !read_ipv4(host, settings.bind_address)) return false;
        if (!read_decimal(suffix, 32, number) || number == 0) return false;
        settings.bind_prefix = static_cast<unsigned>(number);
        return true;
      })) {
    return false;
  }
  if (!reader.read("shoal.gw", "not-an-address", [&](std::string_view value) { return read_ipv4(value, settings.gateway); })) {
    return false;
  }
  return reader.read("shoal.port", "not-a-port", [&](std::string_view value) {
      if (!read_port(value, number)) return false;
      settings.port = static_cast<uint16_t>(number);
      return true;
    });
}

}  // namespace

bool read_decimal(std::string_view text, uint64_t max, uint64_t& value) {
  if (text.empty() || text.size() > 19) return false;
  value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<uint64_t>(c - '0');
  }
  return value <= max;
}

bool read_settings(std::string_view command_line, Settings& settings, BadArgument& bad) {
  Reader reader(command_line, bad);
  uint64_t number = 0;
  std::string_view host;
  std::string_view suffix;

  if (!reader.read("shoal.id", "not-a-number", [&](std::string_view value) {
        return read_decimal(value, INT64_MAX, settings.id);
      })) {
    return false;
  }
  // A guest with a port for its link has no network, and no use for what would be said of one.
  if (find_value(command_line, "shoal.link", host)) {
    if (!reader.read("shoal.link", "not-16-to-64-characters", [&](std::string_view value) {
          settings.link_key = value;
          return value.size() >= 16 && value.size() <= PortLink::kKeyMax;
        })) {
      return false;
    }
  } else if (!read_network(reader, settings)) {
    return false;
  }
  if (!reader.read("shoal.addr", "not-address:port", [&](std::string_view value) {
        uint32_t ignored = 0;
        settings.address = value;
        return split(value, ':', host, suffix) && read_ipv4(host, ignored) && read_port(suffix, number);
      })) {
    return false;
  }
  if (!reader.read("shoal.status_ms", "not-10-to-3600000", [&](std::string_view value) {
        return read_decimal(value, kStatusIntervalMaxMs, settings.status_interval_ms) && settings.status_interval_ms >= 10;
      })) {
    return false;
  }
  return reader.read("shoal.max", "not-1-to-67107840", [&](std::string_view value) {
    // So that operation and token still fit into the longest frame.
    if (!read_decimal(value, FrameHeader::kLengthMax - 1024, number) || number == 0) return false;
    settings.payload_max = static_cast<size_t>(number);
    return true;
  });
}

}  // namespace shoal
