// What a module's imports share beside the module itself.
#pragma once

#include <string_view>

namespace shoal::wasm {

/// To the log, like what a module writes to its standard output.
void print(std::string_view text);

/// Prints what has no end of line; between requests, so that no line is made of two.
void flush_output();

/// What the module said when it aborted, since forget_abort(); empty if it said nothing.
std::string_view abort_message();
void forget_abort();

/// From 0 to below 1.
double random_fraction();

}  // namespace shoal::wasm
