#include "tcp_stream.h"

#include "panic.h"
#include "platform.h"

extern "C" {
#include "lwip/priv/tcp_priv.h"
#include "lwip/stats.h"
#include "lwip/tcp.h"
}

namespace shoal::builtin {
namespace {

constexpr uint32_t kKeepIdleMs = 60'000;
constexpr uint32_t kKeepIntervalMs = 10'000;
constexpr uint32_t kKeepCount = 6;

// Once half of lwIP's memory is taken by clients that do not read, each connection has this much in flight at the most. So the other
// half is enough for all of them, and for what TCP itself has to say.
constexpr size_t kScarceBytes = 4 * TCP_MSS;

static_assert(TCP_WND <= kWindowMax);
static_assert(MEMP_NUM_TCP_PCB >= kStreamMax + TCP_DEFAULT_LISTEN_BACKLOG);

Server* server = nullptr;
tcp_pcb* listener = nullptr;

class TcpStream final : public Stream {
 public:
  bool in_use() const { return pcb_ != nullptr; }
  void open(tcp_pcb* pcb);
  err_t received(pbuf* packet);
  void broken();

  size_t write(const char* bytes, size_t size) override;
  void flush() override;
  void consumed(size_t size) override;
  void finish() override;
  void abort() override;

 private:
  void detach();

  tcp_pcb* pcb_ = nullptr;
  Connection* connection_ = nullptr;
  bool receiving_ = false;  // inside of lwIP's receive callback, which must be told of an abort
  bool aborted_ = false;
};

// One more than the server serves and turns away: a new connection has a stream before another one gives way to it.
TcpStream streams[kStreamMax + 1];

err_t on_received(void* stream, tcp_pcb*, pbuf* packet, err_t) { return static_cast<TcpStream*>(stream)->received(packet); }

/// lwIP has freed the connection already.
void on_error(void* stream, err_t) { static_cast<TcpStream*>(stream)->broken(); }

err_t on_accept(void*, tcp_pcb* pcb, err_t error) {
  if (error != ERR_OK || pcb == nullptr) return ERR_VAL;
  for (TcpStream& stream : streams) {
    if (stream.in_use()) continue;
    stream.open(pcb);
    return ERR_OK;
  }
  panic("no stream for a connection");
}

void TcpStream::open(tcp_pcb* pcb) {
  connection_ = &server->accept(*this);
  pcb_ = pcb;
  receiving_ = false;
  aborted_ = false;
  tcp_arg(pcb, this);
  tcp_recv(pcb, on_received);
  tcp_err(pcb, on_error);
  tcp_nagle_disable(pcb);
  ip_set_option(pcb, SOF_KEEPALIVE);
  pcb->keep_idle = kKeepIdleMs;
  pcb->keep_intvl = kKeepIntervalMs;
  pcb->keep_cnt = kKeepCount;
}

err_t TcpStream::received(pbuf* packet) {
  if (packet == nullptr) {
    connection_->peer_finished();
    return ERR_OK;
  }
  receiving_ = true;
  for (const pbuf* part = packet; part != nullptr && !aborted_; part = part->next) {
    connection_->received({static_cast<const char*>(part->payload), part->len});
  }
  receiving_ = false;
  pbuf_free(packet);
  return aborted_ ? ERR_ABRT : ERR_OK;
}

void TcpStream::broken() {
  pcb_ = nullptr;
  connection_->broken();
}

size_t TcpStream::write(const char* bytes, size_t size) {
  size_t room = tcp_sndbuf(pcb_);
  if (lwip_stats.mem.used > MEM_SIZE / 2) {
    const size_t in_flight = TCP_SND_BUF - room;
    room = in_flight < kScarceBytes ? kScarceBytes - in_flight : 0;
  }
  const auto part = static_cast<u16_t>(size < room ? size : room);
  if (part == 0 || tcp_write(pcb_, bytes, part, TCP_WRITE_FLAG_COPY) != ERR_OK) return 0;
  return part;
}

/// Sends what was written and, if that was nothing, the acknowledgement that is due. lwIP would hold it back for up to 250 ms, and a peer
/// in slow start, as QEMU's user network is on each new connection, waits for it after its first segment.
void TcpStream::flush() {
  if ((pcb_->flags & TF_ACK_DELAY) != 0) tcp_ack_now(pcb_);
  tcp_output(pcb_);
}

void TcpStream::consumed(size_t size) {
  while (size > 0) {
    const auto part = static_cast<u16_t>(size < 0xffff ? size : 0xffff);
    tcp_recved(pcb_, part);
    size -= part;
  }
}

void TcpStream::finish() {
  tcp_pcb* const pcb = pcb_;
  detach();
  // The peer may leave its half open for long. lwIP gives up such a connection first when it needs room for a new one.
  tcp_setprio(pcb, TCP_PRIO_MIN);
  if (tcp_close(pcb) != ERR_OK) tcp_abort(pcb);
}

void TcpStream::abort() {
  tcp_pcb* const pcb = pcb_;
  aborted_ = receiving_;
  detach();
  tcp_abort(pcb);
}

void TcpStream::detach() {
  tcp_arg(pcb_, nullptr);
  tcp_recv(pcb_, nullptr);
  tcp_err(pcb_, nullptr);
  pcb_ = nullptr;
}

}  // namespace

void tcp_streams_listen(uint16_t port, Server& served) {
  server = &served;
  tcp_pcb* const pcb = tcp_new();
  if (pcb == nullptr || tcp_bind(pcb, IP_ADDR_ANY, port) != ERR_OK) panic("cannot bind the port");
  listener = tcp_listen_with_backlog(pcb, TCP_DEFAULT_LISTEN_BACKLOG);
  if (listener == nullptr) panic("cannot listen");
  tcp_accept(listener, on_accept);
}

void tcp_streams_close() {
  if (listener == nullptr) return;
  tcp_close(listener);
  listener = nullptr;
  for (TcpStream& stream : streams) {
    if (stream.in_use()) stream.finish();
  }
}

}  // namespace shoal::builtin
