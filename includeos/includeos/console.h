// Input on the first serial port, and QEMU's debug-exit device: plain ports, since a service on IncludeOS runs in ring 0.
#pragma once

#include <cstddef>
#include <cstdint>

namespace shoal::on_includeos {

/// What has come in; returns how many bytes.
size_t read_console(char* room, size_t size);

/// Ends QEMU with exit code 2 * code + 1, if it has isa-debug-exit; returns otherwise.
void debug_exit(uint8_t code);

}  // namespace shoal::on_includeos
