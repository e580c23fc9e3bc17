// The core's streams on Linux's sockets.
#pragma once

#include <poll.h>

#include <cstddef>
#include <cstdint>

#include "server.h"

namespace shoal::on_linux {

class TcpStreams {
 public:
  explicit TcpStreams(Server& server) : server_(server) {}

  /// False: the port cannot be listened on.
  bool listen(uint16_t port);

  /// Takes what has come. Returns whether anything had.
  bool receive();

  /// Sleeps until something comes, on a connection or on `console`, or the time is over.
  void wait(int console, uint64_t timeout_ns);

 private:
  class TcpStream final : public Stream {
   public:
    bool in_use() const { return socket_ >= 0; }
    void open(Server& server, int socket);
    bool receive();

    /// What is waited for.
    pollfd interest() const;

    /// What has come of it.
    void noticed(short events);

    size_t write(const char* bytes, size_t size) override;
    void flush() override {}
    void consumed(size_t size) override { unconsumed_ -= size; }
    void finish() override { close_socket(); }
    void abort() override;

   private:
    void close_socket();

    int socket_ = -1;
    Connection* connection_ = nullptr;
    size_t unconsumed_ = 0;   // given to the core, which has not dealt with it
    bool peer_finished_ = false;
    bool full_ = false;       // the socket took less than it was given
    bool reset_ = false;
  };

  bool accept();

  Server& server_;
  int listener_ = -1;
  // One more than the server serves and turns away: a new connection has a stream before another one gives way to it.
  TcpStream streams_[kStreamMax + 1];
};

}  // namespace shoal::on_linux
