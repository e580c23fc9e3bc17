#include "tcp_stream.h"

#include <cerrno>
#include <ctime>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace shoal::on_linux {
namespace {

constexpr int kBacklog = 64;
constexpr uint64_t kNsPerSecond = 1'000'000'000;

}  // namespace

bool TcpStreams::listen(uint16_t port) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener_ < 0) return false;
  const int yes = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  return bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 && ::listen(listener_, kBacklog) == 0;
}

bool TcpStreams::receive() {
  bool came = false;
  for (TcpStream& stream : streams_) {
    if (stream.in_use() && stream.receive()) came = true;
  }
  while (accept()) came = true;
  return came;
}

bool TcpStreams::accept() {
  TcpStream* free = nullptr;
  for (TcpStream& stream : streams_) {
    if (!stream.in_use()) free = &stream;
  }
  if (free == nullptr) return false;
  const int socket = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (socket < 0) return false;
  const int yes = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  free->open(server_, socket);
  return true;
}

void TcpStreams::wait(int console, uint64_t timeout_ns) {
  pollfd wanted[kStreamMax + 3] = {{listener_, POLLIN, 0}, {console, POLLIN, 0}};
  TcpStream* waiting[kStreamMax + 3] = {};
  nfds_t count = 2;
  for (TcpStream& stream : streams_) {
    if (!stream.in_use()) continue;
    waiting[count] = &stream;
    wanted[count++] = stream.interest();
  }
  const timespec timeout = {static_cast<time_t>(timeout_ns / kNsPerSecond), static_cast<long>(timeout_ns % kNsPerSecond)};
  ppoll(wanted, count, &timeout, nullptr);
  for (nfds_t i = 2; i < count; i++) waiting[i]->noticed(wanted[i].revents);
}

void TcpStreams::TcpStream::open(Server& server, int socket) {
  connection_ = &server.accept(*this);
  socket_ = socket;
  unconsumed_ = 0;
  peer_finished_ = false;
  full_ = false;
  reset_ = false;
}

pollfd TcpStreams::TcpStream::interest() const {
  short events = 0;
  if (!peer_finished_ && unconsumed_ < kWindowMax) events |= POLLIN;
  if (full_) events |= POLLOUT;
  return {socket_, events, 0};
}

/// A reset is told without being asked for, and for as long as the socket is open. Nothing is read from one whose peer has finished, or that
/// the core has no room for: without this the guest would not sleep any more, and not notice.
void TcpStreams::TcpStream::noticed(short events) {
  if ((events & (POLLERR | POLLHUP)) != 0) reset_ = true;
}

/// Reads no more than the core has room for: the rest waits in the window of TCP.
bool TcpStreams::TcpStream::receive() {
  char bytes[16 << 10];
  bool came = false;
  while (in_use() && !reset_ && !peer_finished_ && unconsumed_ < kWindowMax) {
    const size_t room = kWindowMax - unconsumed_;
    const ssize_t size = recv(socket_, bytes, room < sizeof bytes ? room : sizeof bytes, 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) break;
    came = true;
    if (size > 0) {
      unconsumed_ += static_cast<size_t>(size);
      connection_->received({bytes, static_cast<size_t>(size)});
    } else if (size == 0) {
      peer_finished_ = true;
      connection_->peer_finished();
    } else {
      reset_ = true;
    }
  }
  if (!in_use() || !reset_) return came;
  Connection* const connection = connection_;
  close_socket();
  connection->broken();
  return true;
}

size_t TcpStreams::TcpStream::write(const char* bytes, size_t size) {
  const ssize_t sent = send(socket_, bytes, size, MSG_NOSIGNAL);
  // That a connection is broken is noticed when it is read, or waited for.
  const size_t taken = sent > 0 ? static_cast<size_t>(sent) : 0;
  full_ = taken < size;
  return taken;
}

void TcpStreams::TcpStream::abort() {
  const linger at_once = {1, 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close_socket();
}

void TcpStreams::TcpStream::close_socket() {
  close(socket_);
  socket_ = -1;
  connection_ = nullptr;
}

}  // namespace shoal::on_linux
