#include "map_characters.h"

namespace shoal {
namespace {

constexpr uint32_t kSigma = 0x3a3;
constexpr uint32_t kFinalSigma = 0x3c2;

/// Whether the next character that is not case-ignorable has case.
bool cased_follows(std::string_view rest) {
  while (!rest.empty()) {
    const uint32_t code_point = take_code_point(rest);
    if (!is_case_ignorable(code_point)) return is_cased(code_point);
  }
  return false;
}

/// The same, looking back.
bool cased_precedes(std::string_view before) {
  while (!before.empty()) {
    size_t start = before.size() - 1;
    while ((before[start] & 0xc0) == 0x80) start--;
    std::string_view character{before.data() + start, before.size() - start};
    const uint32_t code_point = take_code_point(character);
    if (!is_case_ignorable(code_point)) return is_cased(code_point);
    before.remove_suffix(before.size() - start);
  }
  return false;
}

/// Unicode's Final_Sigma. Looking around at each sigma is linear over the whole text: a look ends at the next sigma.
bool is_final_sigma(std::string_view text, const char* after) {
  constexpr size_t kSigmaSize = 2;
  const size_t end = static_cast<size_t>(after - text.data());
  return cased_precedes({text.data(), end - kSigmaSize}) && !cased_follows({after, text.size() - end});
}

}  // namespace

bool run_lower(const Request& request, Reply& reply) {
  return map_characters(
      request, reply, [](char byte) { return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte; },
      [&](uint32_t code_point, const char* end) {
        const bool final_sigma = code_point == kSigma && is_final_sigma(request.text, end);
        return to_lower(final_sigma ? kFinalSigma : code_point);
      });
}

}  // namespace shoal
