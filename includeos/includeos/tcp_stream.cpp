#include "tcp_stream.h"

namespace shoal::on_includeos {
namespace {

constexpr size_t kReadSize = 16 << 10;

// IncludeOS queues what is written without a limit.
constexpr size_t kInFlightMax = 64 << 10;

}  // namespace

void TcpStreams::listen(net::Inet& inet, uint16_t port) {
  inet.tcp().listen(port, [this](net::tcp::Connection_ptr socket) {
    if (socket == nullptr) return;
    for (TcpStream& stream : streams_) {
      if (stream.in_use()) continue;
      stream.open(server_, socket);
      return;
    }
    socket->abort();
  });
}

bool TcpStreams::close() {
  bool closed = true;
  for (TcpStream& stream : streams_) {
    if (!stream.in_use()) continue;
    stream.finish();
    closed = false;
  }
  return closed;
}

void TcpStreams::TcpStream::open(Server& server, net::tcp::Connection_ptr socket) {
  connection_ = &server.accept(*this);
  socket_ = socket;
  in_flight_ = 0;
  // The window cannot be held back from here (consumed() has nothing to call): what finds no room waits in the server's heap, and a
  // client that sends more than fits there is disconnected.
  socket->on_read(kReadSize, [this](net::tcp::buffer_t buffer) {
    if (connection_ != nullptr) connection_->received({reinterpret_cast<const char*>(buffer->data()), buffer->size()});
  });
  socket->on_write([this](size_t size) { in_flight_ -= size < in_flight_ ? size : in_flight_; });
  socket->on_disconnect([this](net::tcp::Connection_ptr self, net::tcp::Connection::Disconnect) {
    if (connection_ != nullptr) {
      connection_->peer_finished();
    } else {
      self->close();
    }
  });
  socket->on_close([this] {
    Connection* const connection = connection_;
    connection_ = nullptr;
    socket_ = nullptr;
    if (connection != nullptr) connection->broken();
  });
}

size_t TcpStreams::TcpStream::write(const char* bytes, size_t size) {
  const size_t room = kInFlightMax - in_flight_;
  const size_t part = size < room ? size : room;
  if (part == 0 || !socket_->is_writable()) return 0;  // a write that is empty throws, one that comes too late is dropped
  in_flight_ += part;
  socket_->write(bytes, part);
  return part;
}

void TcpStreams::TcpStream::finish() {
  connection_ = nullptr;
  if (!socket_->is_closing()) socket_->close();
}

void TcpStreams::TcpStream::abort() {
  connection_ = nullptr;
  socket_->abort();
}

}  // namespace shoal::on_includeos
