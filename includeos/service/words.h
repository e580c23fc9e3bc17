// Words: runs of characters that are not blank.
#pragma once

#include <cstdint>
#include <string_view>

namespace shoal {

/// What JavaScript's /\s/ matches.
bool is_blank(uint32_t code_point);

/// The next word of `rest`, which moves past it; empty: there is none left in it. A word that starts in `rest` is taken to `rest`'s end
/// at most.
std::string_view take_word(std::string_view& rest);

}  // namespace shoal
