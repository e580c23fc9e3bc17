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
  Connection(Server& server, Heap& heap) : server_(server), held_(heap), output_(heap) {}

  void open(Stream& stream);
  bool in_use() const { return stream_ != nullptr; }

  // What the adapter reports.
  void received(std::string_view bytes);
  void peer_finished();
  void broken();

  /// Goes on with bytes that had to wait, hands output to the stream, and closes if all is said.
  void move(uint64_t now_ns);

  void send_reply(Chain& frame);
  void send_error(const FrameHeader& about, std::string_view token, unsigned code, std::string_view message);

  /// A job of this connection has been answered or dropped.
  void job_ended() { jobs_--; }

  /// No new frames any more; what is accepted is still answered.
  void drain() { draining_ = true; }

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
  Stream* stream_ = nullptr;

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
