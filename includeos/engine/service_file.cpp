#include "service_file.h"

#include <cstdint>

#include "settings.h"
#include "shoal/utf8.h"

namespace shoal::engine {
namespace {

/// Takes the next line off the front, if it is "KEY VALUE".
bool take_line(std::string_view& rest, std::string_view key, std::string_view& value) {
  constexpr size_t kLineMax = 8 << 10;
  const size_t end = rest.substr(0, kLineMax).find('\n');
  if (end == std::string_view::npos) return false;
  const std::string_view line = rest.substr(0, end);
  if (!line.starts_with(key) || line.size() < key.size() + 2 || line[key.size()] != ' ') return false;
  value = {line.data() + key.size() + 1, line.size() - key.size() - 1};
  rest.remove_prefix(end + 1);
  return true;
}

bool is_operation(std::string_view name) {
  if (name.empty() || name.size() > kOperationNameMax) return false;
  for (const char c : name) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_')) return false;
  }
  return true;
}

bool are_operations(std::string_view names) {
  std::string_view rest = names;
  size_t count = 0;
  bool more = true;
  while (more) {
    more = rest.find(',') != std::string_view::npos;
    const std::string_view name = take_operation(rest);
    if (!is_operation(name) || ++count > kOperationsMax) return false;
    std::string_view later = rest;
    while (more && !later.empty()) {
      if (take_operation(later) == name) return false;
    }
  }
  return true;
}

bool take_choice(std::string_view& rest, std::string_view key, std::string_view no, std::string_view yes, bool& chosen) {
  std::string_view value;
  if (!take_line(rest, key, value) || (value != no && value != yes)) return false;
  chosen = value == yes;
  return true;
}

}  // namespace

std::string_view take_operation(std::string_view& names) {
  const size_t comma = names.find(',');
  const std::string_view name = names.substr(0, comma);
  names.remove_prefix(comma == std::string_view::npos ? names.size() : comma + 1);
  return name;
}

const char* read_service_file(std::string_view bytes, ServiceFile& file) {
  std::string_view rest = bytes;
  std::string_view value;
  bool takes_bytes = false;
  uint64_t source_size = 0;
  if (!take_line(rest, "shoal-service", value)) return "it does not begin with 'shoal-service'";
  if (value != "1") return "it has another version than 1";
  if (!take_line(rest, "operations", file.operations)) return "the second line is not 'operations NAMES'";
  if (!are_operations(file.operations)) return "'operations' is not a list of up to 64 different names of a-z, 0-9, '-', '.' and '_'";
  if (!take_choice(rest, "idempotent", "0", "1", file.idempotent)) return "the third line is not 'idempotent 0' or 'idempotent 1'";
  if (!take_choice(rest, "state", "fresh", "kept", file.keeps_state)) return "the fourth line is not 'state fresh' or 'state kept'";
  if (!take_choice(rest, "payload", "text", "bytes", takes_bytes)) return "the fifth line is not 'payload text' or 'payload bytes'";
  if (!take_line(rest, "source", value) || !read_decimal(value, UINT32_MAX, source_size)) return "the sixth line is not 'source BYTES'";
  if (!rest.starts_with('\n')) return "there is no empty line before the source";
  rest.remove_prefix(1);
  if (rest.size() != source_size) return "the source has not as many bytes as the file says";
  if (!is_utf8(rest)) return "the source is not valid UTF-8";
  file.payload = takes_bytes ? "bytes" : "text";
  file.source = rest;
  return nullptr;
}

}  // namespace shoal::engine
