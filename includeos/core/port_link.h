// The link over a virtio-serial port: a stream without an end of its own, cut into connections.
//
// The host may close the port and open it again before the guest looks, and what the guest still sends goes to whoever has opened it by
// then. So a connection begins with an opening: a ping whose token only Shoal and this guest know. It stands at the beginning of a buffer,
// and whatever came before it belongs to the connection before. The answer, its pong, tells the host the same about what it reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "frame.h"
#include "platform.h"

namespace shoal {

class Connection;
class Server;

/// The port as the system knows it. An adapter implements it.
class Port {
 public:
  enum class Event : uint8_t { none, opened, closed };

  /// The next time that the host has opened or closed the port. What came in before a close can be read before the close is told.
  virtual Event take_event() = 0;

  /// The next buffer that came in, until release_input(); empty: there is none.
  virtual std::string_view next_input() = 0;
  virtual void release_input() = 0;

  /// Takes a copy of as many bytes as there is room for. They may wait for flush().
  virtual size_t write(const char* bytes, size_t size) = 0;
  virtual void flush() = 0;

  /// Forgets what was written and not flushed.
  virtual void discard_output() = 0;

 protected:
  ~Port() = default;
};

class PortLink final : public Stream {
 public:
  static constexpr size_t kKeyMax = 64;
  static constexpr size_t kOpeningMax = 128;

  /// `key`: the token of an opening.
  PortLink(Port& port, Server& server, std::string_view key) : port_(port), server_(server), key_(key) {}

  /// Handles what has come in. False: nothing had.
  bool receive();

  /// Whether it waits for room: what has come in stays where it is until the connection has dealt with what it has.
  bool waits() const { return connection_ != nullptr && unconsumed_ > 0; }

  // Stream, for the connection.
  size_t write(const char* bytes, size_t size) override;
  void flush() override;
  void consumed(size_t size) override { unconsumed_ -= size; }
  void finish() override;
  void abort() override;

 private:
  bool is_opening(std::string_view bytes) const;
  void open(std::string_view opening);
  void take(std::string_view bytes);
  void lose();
  bool say_due();

  Port& port_;
  Server& server_;
  const std::string_view key_;
  Connection* connection_ = nullptr;
  bool host_open_ = false;
  size_t unconsumed_ = 0;

  // What this end has to say itself, before all else: the answer to the opening, or that the connection is at an end.
  char due_[kOpeningMax] = {};
  size_t due_size_ = 0;
  size_t due_said_ = 0;
};

}  // namespace shoal
