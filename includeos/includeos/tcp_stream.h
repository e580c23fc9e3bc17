// The core's streams on IncludeOS's TCP connections.
#pragma once

#include <deque>
#include <memory>
#include <net/inet>

#include "server.h"

namespace shoal::on_includeos {

class TcpStreams {
 public:
  /// The most memory that IncludeOS takes for the connections: what came in and the core has not got yet, and what is not acknowledged.
  static const size_t kMemoryMax;

  explicit TcpStreams(Server& server) : server_(server) {}

  void listen(net::Inet& inet, uint16_t port);

  /// Gives the core what has come in, as far as it may have it. False: nothing had.
  bool receive();

  /// Whether receive() would give the core something.
  bool has_input() const;

  /// Takes no new connections and ends those that there are; true once the peers have all that was said.
  bool close();

 private:
  class TcpStream final : public Stream {
   public:
    bool in_use() const { return socket_ != nullptr; }
    void open(TcpStreams& streams, net::tcp::Connection_ptr socket);
    bool receive();
    bool has_input() const;

    size_t write(const char* bytes, size_t size) override;
    void flush() override {}
    void consumed(size_t size) override { unconsumed_ -= size; }
    void finish() override;
    void abort() override;

   private:
    net::tcp::Connection_ptr release();

    TcpStreams* streams_ = nullptr;
    net::tcp::Connection_ptr socket_;
    Connection* connection_ = nullptr;
    net::tcp::buffer_t input_;  // its first input_used_ bytes are with the core
    size_t input_used_ = 0;
    size_t unconsumed_ = 0;     // with the core, which has not dealt with them
    bool peer_finished_ = false;
  };

  void end(const net::tcp::Connection_ptr& socket);
  void close_ended();

  Server& server_;
  bool closing_ = false;

  // Connections that the core is done with, in the order in which it was. IncludeOS holds them for as long as they are.
  std::deque<std::weak_ptr<net::tcp::Connection>> ended_;

  // One more than the server serves and turns away: a new connection has a stream before another one gives way to it.
  TcpStream streams_[kStreamMax + 1];
};

}  // namespace shoal::on_includeos
