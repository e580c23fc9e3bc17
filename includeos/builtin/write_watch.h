// Which pages of a range were ever written to since it is watched.
#pragma once

#include <cstddef>
#include <cstdint>

namespace shoal::builtin {

/// From now on the first write to each page of 4 KiB of [start, start + bytes) sets the page's byte in `written`, and later ones cost nothing.
/// To be called once. False: these pages cannot be watched, and nothing has changed.
bool watch_writes(const char* start, size_t bytes, uint8_t* written);

}  // namespace shoal::builtin
