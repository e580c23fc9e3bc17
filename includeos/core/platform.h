// What the core asks of the system that it runs on. An adapter (builtin/, includeos/) implements it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace shoal {

class Platform {
 public:
  virtual uint64_t now_ns() = 0;

  /// How long the virtual CPU has slept since the start.
  virtual uint64_t asleep_ns() = 0;

  /// Bytes in use by the image itself: code, data, the stack's network buffers; not the heap that the server was given.
  virtual uint64_t image_bytes() = 0;

  /// Brings in what the network and the console have, and sends what was written; neither waits. Both are called by the server while
  /// a request is computed, when the adapter's main loop cannot. receive() tells whether anything came over the network.
  virtual bool receive() = 0;
  virtual void transmit() = 0;

  /// Prints it all or, when the console's reader is too slow, nothing.
  virtual bool print(std::string_view text) = 0;

 protected:
  ~Platform() = default;
};

/// One TCP connection, as the core sees it.
class Stream {
 public:
  /// Takes a copy of as many bytes as there is room for, and returns how many. They may wait for flush().
  virtual size_t write(const char* bytes, size_t size) = 0;
  virtual void flush() = 0;

  /// `size` bytes that came in are dealt with: the peer may send as many more.
  virtual void consumed(size_t size) = 0;

  /// Ends the connection after what was written. The core forgets the stream.
  virtual void finish() = 0;

  /// Breaks the connection. The core forgets the stream.
  virtual void abort() = 0;

 protected:
  ~Stream() = default;
};

}  // namespace shoal
