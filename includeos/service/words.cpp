#include "words.h"

#include "shoal/utf8.h"

namespace shoal {

bool is_blank(uint32_t code_point) {
  if (code_point < 0x80) return code_point == ' ' || (code_point >= '\t' && code_point <= '\r');
  return code_point == 0xa0 || code_point == 0x1680 || (code_point >= 0x2000 && code_point <= 0x200a) ||
         code_point == 0x2028 || code_point == 0x2029 || code_point == 0x202f || code_point == 0x205f ||
         code_point == 0x3000 || code_point == 0xfeff;
}

std::string_view take_word(std::string_view& rest) {
  const char* start = rest.data();
  while (!rest.empty()) {
    start = rest.data();
    if (!is_blank(take_code_point(rest))) break;
    start = rest.data();
  }
  const char* end = rest.data();
  if (start == end) return {};
  while (!rest.empty()) {
    end = rest.data();
    if (is_blank(take_code_point(rest))) return {start, static_cast<size_t>(end - start)};
    end = rest.data();
  }
  return {start, static_cast<size_t>(end - start)};
}

}  // namespace shoal
