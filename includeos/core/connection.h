// One client connection: takes frames apart as they come in, keeps what cannot be dealt with yet, and what is to go out.
#pragma once

#include <cstdint>
#include <string_view>

#include "chain.h"
#include "frame.h"
#include "job.h"
#include "platform.h"

namespace shoal {

class Server;

class Connection {
 public:
  Connection(Server& server, Heap& heap) : server_(server), heap_(heap), held_(heap), output_(heap) {}

  void open(Stream& stream, uint64_t number);
  bool in_use() const { return stream_ != nullptr; }

  // What the adapter reports.
  void received(std::string_view bytes);
  void peer_finished();
  void broken();

  /// Goes on with bytes that had to wait, hands output to the stream, and closes if all is said.
  void move(uint64_t now_ns);

  /// Sends a whole frame; send_reply() takes its pieces along. False: out of memory, and nothing of it is sent.
  void send_reply(Chain& frame);
  bool send_copy(Chain& frame);
  bool send_frame(std::string_view frame) { return output_.append(frame); }
  void send_error(const FrameHeader& about, std::string_view token, unsigned code, std::string_view message);

  /// A job of this connection has been answered or dropped.
  void job_ended() { jobs_--; }

  /// No new frames any more; what is accepted is still answered.
  void drain() { draining_ = true; }

  /// Counts up over all connections that there ever were.
  uint64_t number() const { return number_; }

  /// Whether it speaks frames, and is there to hear replies that older connections did not get.
  bool is_open_link() const { return in_use() && is_link_ && !peer_finished_ && !draining_; }

  /// A link never closes one half only. If its other end is at an end, a reply that has a token is kept for the next connection rather than sent
  /// into what may be nothing: QEMU's user network tells of a peer that is gone in the same way as of one that has said all.
  bool hears(std::string_view token) const { return !peer_finished_ || token.empty(); }

  bool has_output() const { return !output_.empty(); }
  bool has_partial_request() const { return partial_ != nullptr; }

 private:
  enum class Stage : uint8_t { header, admission, body, skip };

  size_t parse(std::string_view bytes);
  bool check_header();
  bool admit();
  void finish_body();
  void send_pong(Job& ping);
  void hold(std::string_view bytes);
  void resume();
  void abort();
  void release();

  Server& server_;
  Heap& heap_;
  Stream* stream_ = nullptr;
  uint64_t number_ = 0;
  bool is_link_ = false;     // a frame has come

  Stage stage_ = Stage::header;
  bool peer_finished_ = false;
  bool draining_ = false;    // input is thrown away, output still goes out
  uint32_t header_filled_ = 0;
  char header_bytes_[FrameHeader::kSize] = {};
  FrameHeader header_ = {};
  Job* partial_ = nullptr;   // the frame whose body is coming in
  size_t body_size_ = 0;
  size_t body_filled_ = 0;
  size_t skip_left_ = 0;
  unsigned refusal_code_ = 0;  // this frame is refused once its token is there
  std::string_view refusal_;

  size_t jobs_ = 0;          // accepted and not yet answered
  uint64_t progress_ns_ = 0;
  bool progressed_ = false;

  Chain held_;               // came in and waits for room: at most what the TCP window lets in
  Chain output_;
};

}  // namespace shoal
