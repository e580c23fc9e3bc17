#include "connection.h"

#include "server.h"
#include "shoal/copy.h"
#include "shoal/text_writer.h"

namespace shoal {
namespace {

// A client that does not read its replies is not read from either, beyond this.
constexpr size_t kOutputHighWater = 64 << 10;

// Neither a byte in the middle of a frame nor a byte taken of what we send for so long: the peer is gone or stuck.
constexpr uint64_t kStallNs = 60'000'000'000;
constexpr uint64_t kStallStoppingNs = 5'000'000'000;

// A connection that has been idle for so long may give its place to another one. It is long enough for a client's next request, if there is
// one, to have been sent before the close.
constexpr uint64_t kIdleNs = 1'000'000'000;

// A request waits so long for memory, and what follows it on the connection with it. From then on requests are told 503 until there is memory.
constexpr uint64_t kMemoryWaitNs = 1'000'000'000;

size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

}  // namespace

void Connection::open(Stream& stream, uint64_t number) {
  stream_ = &stream;
  number_ = number;
  is_link_ = false;
  is_http_ = false;
  admitted_ = false;
  turned_away_ = false;
  linger_end_ns_ = 0;
  stage_ = Stage::protocol;
  peer_finished_ = false;
  draining_ = false;
  header_filled_ = 0;
  refusal_code_ = 0;
  jobs_ = 0;
  memory_short_ns_ = 0;
  progressed_ = true;
}

void Connection::received(std::string_view bytes) {
  progressed_ = true;
  if (held_.empty()) {
    const size_t used = parse(bytes);
    bytes.remove_prefix(used);
    if (used > 0 && in_use()) stream_->consumed(used);
  }
  if (!bytes.empty() && in_use()) hold(bytes);
}

void Connection::peer_finished() { peer_finished_ = true; }

void Connection::broken() {
  stream_ = nullptr;
  release();
}

void Connection::move(uint64_t now_ns) {
  resume();
  while (in_use() && !output_.empty()) {
    const std::string_view front = output_.front();
    const size_t taken = stream_->write(front.data(), front.size());
    output_.drop(taken);
    progressed_ = progressed_ || taken > 0;
    if (taken < front.size()) break;
  }
  if (!in_use()) return;
  stream_->flush();

  const bool said_all = output_.empty() && held_.empty() && jobs_ == 0 && (draining_ || !waits_for_room());
  if (said_all && (peer_finished_ || (draining_ && now_ns >= linger_end_ns_))) {
    finish();
    return;
  }
  if (progressed_) active_ns_ = now_ns;
  if (progressed_ || !waits_for_peer()) {
    progressed_ = false;
    progress_ns_ = now_ns;
  } else if (now_ns - progress_ns_ > (server_.stopping() ? kStallStoppingNs : kStallNs)) {
    if (said_all && !has_begun()) {
      finish();
    } else {
      abort();
    }
  }
}

uint64_t Connection::due_ns() const {
  // While its last words are on their way the peer's acknowledgements move it.
  if (linger_end_ns_ > 0 && output_.empty()) return linger_end_ns_;
  if (memory_short_ns_ > 0 && waits_for_room()) return memory_short_ns_ + kMemoryWaitNs;
  return ~uint64_t{0};
}

bool Connection::is_idle(uint64_t now_ns) const {
  if (jobs_ > 0 || draining_ || progressed_ || !output_.empty() || !held_.empty()) return false;
  const bool between_requests = is_http_ ? stage_ == Stage::http_head && head_.empty() : stage_ == Stage::header && header_filled_ == 0;
  return between_requests && now_ns - active_ns_ >= kIdleNs;
}

bool Connection::reads_request() const {
  switch (stage_) {
    case Stage::admission:
    case Stage::body: return header_.is_request() && refusal_code_ == 0;
    case Stage::http_head: return !head_.empty();
    case Stage::http_admission: return true;
    case Stage::chunks: return partial_ != nullptr;
    default: return false;
  }
}

bool Connection::waits_for_peer() const {
  if (!output_.empty()) return true;
  if (is_http_) return jobs_ == 0;  // also between two requests: connections are few
  return stage_ != Stage::header || header_filled_ > 0;
}

bool Connection::has_begun() const {
  if (is_http_) return !head_.empty() || partial_ != nullptr;
  return header_filled_ > 0 || stage_ != Stage::protocol;
}

// Returns how many bytes are dealt with; fewer than all: there is no room now, and resume() tries again.
size_t Connection::parse(std::string_view bytes) {
  size_t used = 0;
  while (!draining_) {
    const size_t left = bytes.size() - used;
    const char* const from = bytes.data() + used;
    switch (stage_) {
      case Stage::protocol: {
        if (left == 0) return used;
        const size_t part = smaller(left, kProtocolBytes - header_filled_);
        copy_bytes(header_bytes_ + header_filled_, from, part);
        header_filled_ += static_cast<uint32_t>(part);
        used += part;
        if (header_filled_ < kProtocolBytes) return used;
        learn_protocol();
        break;
      }
      case Stage::http_head:
        // One at a time, so that answers come in the order of the requests.
        if (left == 0 || jobs_ > 0 || output_.size() > kOutputHighWater) return used;
        used += collect_http_head({from, left});
        break;
      case Stage::http_admission:
        if (!admit_http()) return used;
        break;
      case Stage::header: {
        if (left == 0 || output_.size() > kOutputHighWater) return used;
        const size_t part = smaller(left, FrameHeader::kSize - header_filled_);
        copy_bytes(header_bytes_ + header_filled_, from, part);
        header_filled_ += static_cast<uint32_t>(part);
        used += part;
        if (header_filled_ < FrameHeader::kSize) return used;
        header_ = decode_frame_header(header_bytes_);
        if (!check_header()) break;
        stage_ = Stage::admission;
        if (!is_link_) {
          is_link_ = true;
          server_.link_opened(*this);
        }
        break;
      }
      case Stage::admission:
        if (!admit()) return used;
        break;
      case Stage::body: {
        const size_t part = smaller(left, body_size_ - body_filled_);
        copy_bytes(partial_->bytes() + body_filled_, from, part);
        body_filled_ += part;
        used += part;
        if (body_filled_ < body_size_) return used;
        finish_body();
        break;
      }
      case Stage::chunks:
        if (left == 0) return used;
        used += take_chunks({from, left});
        break;
      case Stage::skip: {
        const size_t part = smaller(left, skip_left_);
        skip_left_ -= part;
        used += part;
        if (skip_left_ > 0) return used;
        to_next_request();
        break;
      }
    }
  }
  return bytes.size();
}

void Connection::learn_protocol() {
  is_http_ = starts_http();
  admitted_ = server_.admit(*this);
  if (!admitted_) {
    turn_away();
    return;
  }
  stage_ = is_http_ ? Stage::http_head : Stage::header;
  if (!is_http_) return;
  http_ = {};
  collect_http_head({header_bytes_, kProtocolBytes});
}

/// There are too many connections. It may be a client that wants one request answered or a link for thousands: nothing is read of either.
void Connection::turn_away() {
  turned_away_ = true;
  if (is_http_) {
    http_ = {};
    if (std::string_view(header_bytes_, kProtocolBytes) == "HEAD") http_.method = HttpHead::Method::head;
    refuse_http(503, "busy");
  } else {
    send_error({}, {}, 503, "busy");
    if (in_use()) linger();
  }
}

/// False: nothing that this peer sends can be trusted to be a frame from here on.
bool Connection::check_header() {
  const FrameHeader& header = header_;
  const bool known = header.type == FrameType::request || header.type == FrameType::ping ||
                     (header.type == FrameType::typed_request && server_.takes_bytes()) ||
                     header.type == FrameType::cancel || header.type == FrameType::relay;
  TextWriter<128> why;
  if (!known) {
    why.add("a client cannot send frames of type ").add(static_cast<uint64_t>(header.type));
  } else if (header.length > FrameHeader::kLengthMax) {
    why.add("a frame of ").add(header.length).add(" bytes is longer than ").add(FrameHeader::kLengthMax);
  } else if (header.token_size > FrameHeader::kTokenMax) {
    why.add("a token of ").add(header.token_size).add(" bytes is longer than ").add(FrameHeader::kTokenMax);
  } else if (header.names_size() > header.length) {
    why.add("operation and token are longer than the frame of ").add(header.length).add(" bytes");
  } else {
    return true;
  }
  send_error(header, {}, 400, why.text());
  drain();
  return false;
}

/// Decides what to do with a frame whose header is there. False: there is no room for it now.
bool Connection::admit() {
  skip_left_ = 0;
  refusal_code_ = 0;
  switch (header_.type) {
    case FrameType::cancel:
      server_.cancel(*this, header_.id);
      skip_left_ = header_.length;
      stage_ = Stage::skip;
      return true;
    case FrameType::relay: return header_.payload_size() > Telemetry::kRelayMax ? admit_refused(413, {}) : read_small_frame(header_.length);
    case FrameType::ping:
      if (header_.length > 0) return admit_request();
      send_pong({});
      to_next_request();
      return true;
    default: return admit_request();
  }
}

/// The same for a request. A ping that carries something takes memory as well.
bool Connection::admit_request() {
  if (header_.payload_size() > server_.payload_max() + header_.typed_max()) return admit_refused(413, {});
  if (header_.type == FrameType::ping) {
    if (header_.length <= MemoryBudget::kSmallFrameMax) return read_small_frame(header_.length);
  } else if (server_.stopping()) {
    return admit_refused(503, "stopping");
  } else if (server_.queue_full()) {
    return server_.computing() && admit_refused(503, "busy");
  }
  if (read_request(header_.length)) return true;
  return !may_wait_for_memory() && admit_refused(503, "busy");
}

/// Reads no more of the frame than its token, which the answer repeats.
bool Connection::admit_refused(unsigned code, std::string_view why) {
  refusal_code_ = code;
  refusal_ = why;
  skip_left_ = header_.payload_size();
  return read_small_frame(header_.names_size());
}

bool Connection::may_wait_for_memory() {
  const uint64_t now_ns = server_.platform().now_ns();
  if (memory_short_ns_ == 0) memory_short_ns_ = now_ns;
  return now_ns - memory_short_ns_ < kMemoryWaitNs;
}

/// False: there is no memory for it now.
bool Connection::read_request(size_t body_size) {
  if (!read_partial(server_.memory().allocate_request(body_size, is_http_), body_size)) return false;
  memory_short_ns_ = 0;
  return true;
}

bool Connection::read_small_frame(size_t body_size) { return read_partial(server_.memory().allocate_small_frame(body_size), body_size); }

bool Connection::read_partial(Job* job, size_t body_size) {
  if (job == nullptr) return false;
  partial_ = job;
  body_size_ = body_size;
  body_filled_ = 0;
  job->connection = this;
  job->connection_number = number_;
  job->header = header_;
  stage_ = Stage::body;
  return true;
}

void Connection::finish_body() {
  Job* const job = partial_;
  partial_ = nullptr;
  if (skip_left_ > 0) {
    stage_ = Stage::skip;
  } else {
    to_next_request();
  }
  const bool is_sound = refusal_code_ != 0 || job->is_well_typed();
  if (refusal_code_ == 0 && is_sound && job->header.is_request() && job->text().size() <= server_.payload_max()) {
    jobs_++;
    server_.enqueue(job);
    return;
  }
  if (!is_sound) {
    send_error(header_, job->token(), 400, "the content type is not 1 to 255 printable ASCII characters");
  } else if (refusal_code_ == 413 || (refusal_code_ == 0 && job->header.is_request())) {
    TextWriter<128> why;
    // Of a text that was not read, it is not known how much of it is its content type.
    const size_t size = refusal_code_ == 0 ? job->text().size() : header_.payload_size();
    why.add("a text of ").add(size).add(" bytes is longer than ");
    why.add(job->header.type == FrameType::relay ? Telemetry::kRelayMax : server_.payload_max());
    send_error(header_, job->token(), 413, why.text());
  } else if (refusal_code_ != 0) {
    send_error(header_, job->token(), refusal_code_, refusal_);
  } else if (job->header.type == FrameType::relay) {
    if (!server_.relay({job->bytes() + job->header.names_size(), job->header.payload_size()})) send_error(header_, job->token(), 400, "a relayed line has printable ASCII characters only");
  } else {
    send_pong({job->bytes(), job->header.length});
  }
  if (job->header.is_request()) server_.count_served();
  server_.memory().free(job);
}

void Connection::drop_partial() {
  if (partial_ != nullptr) server_.memory().free(partial_);
  partial_ = nullptr;
}

void Connection::to_next_request() {
  stage_ = is_http_ ? Stage::http_head : Stage::header;
  header_filled_ = 0;
}

void Connection::hold(std::string_view bytes) {
  if (!held_.append(bytes)) {
    abort();
    return;
  }
  count_held();
}

void Connection::count_held() {
  server_.memory().count_waiting(static_cast<ptrdiff_t>(held_.heap_bytes()) - static_cast<ptrdiff_t>(held_counted_));
  held_counted_ = held_.heap_bytes();
}

void Connection::resume() {
  if (held_.empty() && waits_for_room()) parse({});
  size_t used = 0;
  while (in_use() && !held_.empty()) {
    const std::string_view front = held_.front();
    const size_t part = parse(front);
    if (!in_use()) return;  // which has let go of the bytes as well
    held_.drop(part);
    used += part;
    if (part < front.size()) break;
  }
  if (used == 0) return;
  count_held();
  stream_->consumed(used);
}

void Connection::finish() {
  Stream* const stream = stream_;
  stream_ = nullptr;
  release();
  stream->finish();
}

void Connection::abort() {
  if (!in_use()) return;
  Stream* const stream = stream_;
  stream_ = nullptr;
  release();
  stream->abort();
}

void Connection::release() {
  draining_ = true;  // ends parse(), which may be what we were called from
  server_.forget(*this);
  admitted_ = false;
  drop_partial();
  head_.clear();
  held_.clear();
  count_held();
  output_.clear();
}

}  // namespace shoal
