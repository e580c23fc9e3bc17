// The end of a guest that cannot go on: a line that says why, then power off with a code of its own.
#pragma once

#include <string_view>

namespace shoal::builtin {

[[noreturn]] void panic(std::string_view why);

/// The console of main() has printed what it has handed over. It reads little, so that it works whatever is broken.
void await_console();

}  // namespace shoal::builtin
