#include "shoal/utf8.h"

#include <string>

#include "check.h"

namespace shoal {

TEST("utf8: every code point goes there and back") {
  for (uint32_t code_point = 0; code_point <= 0x10ffff; code_point++) {
    if (code_point >= 0xd800 && code_point <= 0xdfff) continue;
    char bytes[4];
    std::string_view text{bytes, put_code_point(code_point, bytes)};
    if (!is_utf8(text)) check_failed(__FILE__, __LINE__, "refused: " + std::to_string(code_point));
    if (take_code_point(text) != code_point || !text.empty()) check_failed(__FILE__, __LINE__, "changed: " + std::to_string(code_point));
  }
}

TEST("utf8: what is none is refused, at any place") {
  for (const std::string bad : {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc3", "\xe2\x82", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf",
                                "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xf0\x9f\x98", "\xc3\xc3", "\xe2\x28\xa1"}) {
    for (size_t before = 0; before < 18; before++) {
      CHECK(!is_utf8(std::string(before, 'a') + bad));
      CHECK(!is_utf8(std::string(before, 'a') + bad + "zzzzzzzzzz"));
    }
  }
  CHECK(is_utf8(""));
  CHECK(is_utf8(std::string("\0nul", 4)));
}

TEST("utf8: a prefix cuts no character in two") {
  const std::string text = "aä€😀b";
  for (size_t size = 4; size <= text.size() + 2; size++) {
    const std::string_view prefix = utf8_prefix(text, size);
    CHECK(prefix.size() <= size);
    CHECK(prefix.size() + 3 >= (size < text.size() ? size : text.size()));
    CHECK(is_utf8(prefix));
  }
}

}  // namespace shoal
