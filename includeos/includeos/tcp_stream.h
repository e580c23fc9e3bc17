// The core's streams on IncludeOS's TCP connections.
#pragma once

#include <net/inet>

#include "server.h"

namespace shoal::on_includeos {

class TcpStreams {
 public:
  explicit TcpStreams(Server& server) : server_(server) {}

  void listen(net::Inet& inet, uint16_t port);

  /// Ends all connections in order; true once they are closed.
  bool close();

 private:
  class TcpStream final : public Stream {
   public:
    bool in_use() const { return socket_ != nullptr; }
    void open(Server& server, net::tcp::Connection_ptr socket);

    size_t write(const char* bytes, size_t size) override;
    void flush() override {}
    void consumed(size_t) override {}
    void finish() override;
    void abort() override;

   private:
    net::tcp::Connection_ptr socket_;
    Connection* connection_ = nullptr;  // null: the core is done with it, only the closing is left
    size_t in_flight_ = 0;
  };

  Server& server_;
  // One more than the server serves and turns away: a new connection has a stream before another one gives way to it.
  TcpStream streams_[kStreamMax + 1];
};

}  // namespace shoal::on_includeos
