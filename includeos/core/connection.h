// One client connection: tells by the first bytes whether it speaks frames or HTTP, takes apart what comes in, keeps what cannot be dealt
// with yet, and what is to go out. The part for HTTP: connection_http.cpp; what it says in frames: connection_output.cpp.
#pragma once

#include <cstdint>
#include <string_view>

#include "chain.h"
#include "frame.h"
#include "http_chunks.h"
#include "http_head.h"
#include "job.h"
#include "platform.h"

namespace shoal {

class ReplyBuffer;
class Server;

class Connection {
 public:
  Connection(Server& server, Heap& heap) : server_(server), heap_(heap), head_(heap), held_(heap), output_(heap) {}

  void open(Stream& stream, uint64_t number);
  bool in_use() const { return stream_ != nullptr; }

  // What the adapter reports.
  void received(std::string_view bytes);
  void peer_finished();
  void broken();

  /// Goes on with bytes that had to wait, hands output to the stream, and closes if all is said.
  void move(uint64_t now_ns);

  /// Ends the connection in favour of another one.
  void give_way() { finish(); }

  /// When it is to be moved though nothing comes in.
  uint64_t due_ns() const;

  /// Sends a whole frame; send_reply() takes its pieces along. False: out of memory, and nothing of it is sent.
  void send_reply(Chain& frame);
  bool send_copy(Chain& frame);
  bool send_frame(std::string_view frame);
  void send_http_reply(ReplyBuffer& reply);
  void send_error(const FrameHeader& about, std::string_view token, unsigned code, std::string_view message);

  /// A job of this connection has been answered or dropped.
  void job_ended() { jobs_--; }

  /// No new frames any more; what is accepted is still answered.
  void drain() { draining_ = true; }

  bool is_http() const { return is_http_; }

  /// Whether it has a place among the connections that are served. One that has not shown its protocol yet has none.
  bool is_admitted() const { return admitted_; }

  /// Whether it has been told that there was no place for it.
  bool is_turned_away() const { return turned_away_; }

  /// Whether nothing has happened on it for a while and nothing is due.
  bool is_idle(uint64_t now_ns) const;
  uint64_t active_ns() const { return active_ns_; }

  /// Counts up over all connections that there ever were.
  uint64_t number() const { return number_; }

  /// Whether it speaks frames, and is there to hear replies that older connections did not get.
  bool is_open_link() const { return in_use() && is_link_ && !peer_finished_ && !draining_; }

  /// A link never closes one half only. If its other end is at an end, a reply that has a token is kept for the next connection rather than sent
  /// into what may be nothing: QEMU's user network tells of a peer that is gone in the same way as of one that has said all.
  bool hears(std::string_view token) const { return !peer_finished_ || token.empty(); }

  bool has_output() const { return !output_.empty(); }
  /// Whether bytes that came in take memory of their own, beside a request's.
  bool has_input() const { return !head_.empty() || !held_.empty(); }
  bool has_partial_request() const { return partial_ != nullptr; }

  /// Whether a request is coming in, or waits for room.
  bool reads_request() const;

 private:
  enum class Stage : uint8_t { protocol, header, admission, http_head, http_admission, body, chunks, skip };

  static constexpr size_t kProtocolBytes = 4;
  static constexpr uint64_t kLingerNs = 2'000'000'000;

  size_t parse(std::string_view bytes);
  bool starts_http() const;
  void learn_protocol();
  void turn_away();
  size_t collect_http_head(std::string_view bytes);
  bool admit_http();
  bool admit_http_post();
  bool read_http_body();
  size_t take_chunks(std::string_view bytes);
  void finish_chunks();
  void answer_http(unsigned code, std::string_view message);
  void answer_http_unknown();
  void refuse_http(unsigned code, std::string_view message);
  void send_http_text(unsigned code, std::string_view message);
  bool send_http_head(unsigned code, std::string_view type, size_t length);
  void linger();

  bool may_wait_for_memory();
  bool read_request(size_t body_size);
  bool read_small_frame(size_t body_size);
  bool read_partial(Job* job, size_t body_size);
  bool waits_for_room() const { return stage_ == Stage::admission || stage_ == Stage::http_admission; }

  /// Whether the peer is due to do something; a link may be idle for as long as it likes, once it has shown that it is one.
  bool waits_for_peer() const;

  /// Whether there is something that a close would cut off.
  bool has_begun() const;

  void finish();
  void to_next_request();
  bool check_header();
  bool admit();
  bool admit_request();
  bool admit_refused(unsigned code, std::string_view why);
  void finish_body();
  void drop_partial();
  void send_pong(std::string_view body);
  void hold(std::string_view bytes);
  void count_held();
  void resume();
  void abort();
  void release();

  Server& server_;
  Heap& heap_;
  Stream* stream_ = nullptr;
  uint64_t number_ = 0;
  bool is_link_ = false;     // a frame has come
  bool is_http_ = false;
  bool admitted_ = false;
  bool turned_away_ = false;

  Stage stage_ = Stage::protocol;
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

  HttpHead http_;            // the request that is coming in or in work
  HttpChunks chunks_;        // of its body, if it is chunked
  uint64_t linger_end_ns_ = 0;

  size_t jobs_ = 0;          // accepted and not yet answered
  uint64_t progress_ns_ = 0;       // or since when nothing is due from the peer
  uint64_t active_ns_ = 0;         // when bytes last came or went
  uint64_t memory_short_ns_ = 0;   // since when there has been none for a request; 0: there is
  bool progressed_ = false;

  Chain head_;               // of the HTTP request that is coming in: one piece
  size_t held_counted_ = 0;  // what MemoryBudget knows of held_
  Chain held_;               // came in and waits for room: at most what the TCP window lets in
  Chain output_;
};

}  // namespace shoal
