// The first serial port, and QEMU's debug-exit device: plain ports, since a service on IncludeOS runs in ring 0. IncludeOS's own output
// waits for the UART for as long as the console's reader pauses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "console_output.h"

namespace shoal::on_includeos {

class Console {
 public:
  Console();

  /// All or nothing.
  bool print(std::string_view text);

  /// Gives the UART what it takes.
  void flush();

  bool has_output() const { return !output_.empty(); }

 private:
  ConsoleOutput output_;
};

/// What has come in; returns how many bytes.
size_t read_console(char* room, size_t size);

/// Straight to the UART, for last words: what waits in a Console may be part of what is broken. Gives up if nobody reads.
void print_raw(std::string_view text);

/// Ends QEMU with exit code 2 * code + 1, if it has isa-debug-exit; returns otherwise.
void debug_exit(uint8_t code);

}  // namespace shoal::on_includeos
