// The serial console: the UART, and once there is one a virtio console, which takes a line at once where the UART takes a byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "console_output.h"
#include "console_port.h"

namespace shoal::builtin {

class Console {
 public:
  void open();

  /// What is printed goes there from now on.
  void divert(ConsolePort& port);

  /// All or nothing. If there is no room, the device gets a moment to make some.
  bool print(std::string_view text);

  /// Gives the device what it takes.
  void flush();

  /// Gives the UART one batch of a few lines, so that they hold no request up, and all of more than that, so that a flood leaves room for a report.
  /// Without a request in hand it gets all at once, which costs a tenth less. False: it took nothing, or there was nothing.
  bool flush_some(bool has_work);

  bool has_output() const { return !output_.empty(); }

  /// Gives up after `limit_ns`.
  void flush_within(uint64_t limit_ns);

  /// Lets a virtio console take what it has already, for a moment at most: else it may print that in the middle of what the UART is given next.
  void await_device();

  /// Reads into `room`; returns how much there was.
  size_t read(char* room, size_t size);

 private:
  bool is_device_behind() { return port_ != nullptr && port_->has_unprinted(); }

  ConsoleOutput output_;
  ConsolePort* port_ = nullptr;  // in the place of the UART
};

}  // namespace shoal::builtin
