#include "tcp_stream.h"

#include <utility>

namespace shoal::on_includeos {

/// Sends what is queued, after the peer has closed its half of the connection.
///
/// IncludeOS then only queues what is written, and sends it when the next acknowledgement comes. If nothing is on its way, as before the
/// answer to a request, none ever does. All that would send it is private. The choice is between a changed IncludeOS, clients without their
/// answers, and this: the names in an explicit instantiation are not checked for access. Should the function go, this does not compile.
void send_queued(net::tcp::Connection& socket);

template <auto Push>
struct SendQueued {
  friend void send_queued(net::tcp::Connection& socket) { (socket.*Push)(); }
};
template struct SendQueued<&net::tcp::Connection::writeq_push>;

namespace {

// What of a connection is written and not acknowledged. IncludeOS itself sets no limit.
constexpr size_t kSendQueueMax = 32 << 10;

// A peer may leave its half open for as long as it likes. Beyond this many, the connection that ended first is reset.
constexpr size_t kEndedMax = kStreamMax;

// What IncludeOS holds of what comes in, in buffers of such sizes. What the core does not take yet stays there, and the window closes.
// IncludeOS's own limits are 256 KiB for a connection and 64 MiB for all. It divides what there is for all by their number, and must never
// come to less than two buffers for one: it would refuse a connection then, and fail over that.
constexpr size_t kBufferMin = 4 << 10;
constexpr size_t kBufferMax = 8 << 10;
constexpr size_t kBuffersMax = (kStreamMax + kEndedMax) * 5 * kBufferMax;

// QEMU's network delays no segment. IncludeOS's own 30 s would keep each connection in memory for a minute after its end, and would make a
// client that connects from the same port again wait for seconds.
constexpr std::chrono::milliseconds kSegmentLifetime{1};

}  // namespace

const size_t TcpStreams::kMemoryMax = kBuffersMax + (kStreamMax + kEndedMax) * kSendQueueMax;

void TcpStreams::listen(net::Inet& inet, uint16_t port) {
  net::TCP& tcp = inet.tcp();
  tcp.set_MSL(kSegmentLifetime);
  tcp.set_min_bufsize(kBufferMin);
  tcp.set_max_bufsize(kBufferMax);
  tcp.set_total_bufsize(kBuffersMax);
  tcp.listen(port, [this](net::tcp::Connection_ptr socket) {
    if (socket == nullptr) return;
    if (!closing_) {
      for (TcpStream& stream : streams_) {
        if (stream.in_use()) continue;
        stream.open(*this, socket);
        return;
      }
    }
    socket->abort();
  });
}

bool TcpStreams::receive() {
  bool came = false;
  for (TcpStream& stream : streams_) came = (stream.in_use() && stream.receive()) || came;
  close_ended();
  return came;
}

bool TcpStreams::has_input() const {
  for (const TcpStream& stream : streams_) {
    if (stream.in_use() && stream.has_input()) return true;
  }
  return false;
}

bool TcpStreams::close() {
  closing_ = true;
  for (TcpStream& stream : streams_) {
    if (stream.in_use()) stream.finish();
  }
  close_ended();
  for (const auto& ended : ended_) {
    const net::tcp::Connection_ptr socket = ended.lock();
    if (socket != nullptr && socket->sendq_size() > 0) return false;
  }
  return true;
}

void TcpStreams::end(const net::tcp::Connection_ptr& socket) {
  socket->reset_callbacks();
  ended_.push_back(socket);
  close_ended();
  while (ended_.size() > kEndedMax) {
    if (const net::tcp::Connection_ptr first = ended_.front().lock()) first->abort();
    ended_.pop_front();
  }
}

/// Not before the peer has acknowledged all: what IncludeOS has not sent by then is lost if the peer closes its half meanwhile, or has.
void TcpStreams::close_ended() {
  std::erase_if(ended_, [](const std::weak_ptr<net::tcp::Connection>& ended) {
    const net::tcp::Connection_ptr socket = ended.lock();
    if (socket != nullptr && !socket->is_closing() && socket->sendq_size() == 0) socket->close();
    return socket == nullptr;
  });
}

void TcpStreams::TcpStream::open(TcpStreams& streams, net::tcp::Connection_ptr socket) {
  streams_ = &streams;
  connection_ = &streams.server_.accept(*this);
  socket_ = socket;
  unconsumed_ = 0;
  peer_finished_ = false;
  socket->on_data([] {});  // receive() fetches it
  socket->on_disconnect([this](net::tcp::Connection_ptr, net::tcp::Connection::Disconnect) { peer_finished_ = true; });
  socket->on_close([this] {
    Connection* const connection = connection_;
    release();
    connection->broken();
  });
}

bool TcpStreams::TcpStream::receive() {
  bool came = false;
  while (in_use() && has_input()) {
    // The core may end this stream meanwhile; the buffer's memory belongs to the socket.
    const net::tcp::Connection_ptr socket = socket_;
    if (input_ == nullptr) {
      input_ = socket->read_next();
      input_used_ = 0;
    }
    const net::tcp::buffer_t input = input_;
    const size_t left = input->size() - input_used_;
    const size_t room = kWindowMax - unconsumed_;
    const std::string_view part{reinterpret_cast<const char*>(input->data()) + input_used_, left < room ? left : room};
    input_used_ += part.size();
    if (input_used_ == input->size()) input_ = nullptr;
    unconsumed_ += part.size();
    came = true;
    connection_->received(part);
  }
  if (in_use() && peer_finished_ && input_ == nullptr && socket_->next_size() == 0) connection_->peer_finished();
  return came;
}

bool TcpStreams::TcpStream::has_input() const {
  return unconsumed_ < kWindowMax && (input_ != nullptr || socket_->next_size() > 0);
}

size_t TcpStreams::TcpStream::write(const char* bytes, size_t size) {
  const size_t queued = socket_->sendq_size();
  const size_t room = queued < kSendQueueMax ? kSendQueueMax - queued : 0;
  const size_t part = size < room ? size : room;
  if (part == 0 || !socket_->is_writable()) return 0;  // a write that is empty throws, one that comes too late is dropped
  socket_->write(bytes, part);
  if (peer_finished_) send_queued(*socket_);
  return part;
}

/// The place is free at once: IncludeOS sees to the end.
void TcpStreams::TcpStream::finish() { streams_->end(release()); }

void TcpStreams::TcpStream::abort() {
  const net::tcp::Connection_ptr socket = release();
  socket->reset_callbacks();
  socket->abort();
}

/// The buffer goes first: its memory belongs to the socket.
net::tcp::Connection_ptr TcpStreams::TcpStream::release() {
  input_ = nullptr;
  connection_ = nullptr;
  return std::exchange(socket_, nullptr);
}

}  // namespace shoal::on_includeos
