#include "server.h"

#include "shoal/text_writer.h"
#include "shoal/utf8.h"

namespace shoal {
namespace {

constexpr uint64_t kSliceNs = 1'000'000;  // how long the network may wait for the service
constexpr uint64_t kSliceInTrafficNs = 200'000;  // and while more is to be expected: the peer waits for each window
constexpr size_t kValidateStep = 64 << 10;

// A reply may be this long even if requests must be shorter: a digest of one byte has 64.
constexpr size_t kReplyMaxLeast = 4096;

// For short replies, errors and what a service allocates, beside the rest.
constexpr size_t kSlackBytes = 64 << 10;

// What those have to be told that are turned away.
constexpr size_t kTurnedAwayBytes = Server::kTurnedAwayMax * (sizeof(Piece) + 64);

// What a connection can have waiting for room: its window, in whole pieces, and the head of an HTTP request.
constexpr size_t kHeldMax = (Server::kWindowMax / Piece::kCapacity + 3) * sizeof(Piece);

size_t reply_max(const Settings& settings) {
  return settings.payload_max > kReplyMaxLeast ? settings.payload_max : kReplyMaxLeast;
}

Server* server_in_work = nullptr;  // for the functions of service.h

}  // namespace

bool Server::heap_suffices(size_t heap_bytes, const Settings& settings) {
  return heap_bytes >= settings.payload_max + reply_max(settings) + kConnectionMax * kHeldMax + kTurnedAwayBytes + kSlackBytes;
}

void Server::start() {
  server_in_work = this;
  telemetry_.print_ready(settings_, service_);
  report_if_due(platform_.now_ns());
}

Connection* Server::accept(Stream& stream) {
  const bool full = connection_count_ == kConnectionMax;
  for (Connection& connection : connections_) {
    if (connection.in_use()) continue;
    connection.open(stream, ++connections_ever_, full, platform_.now_ns());
    if (!full) connection_count_++;
    return &connection;
  }
  return nullptr;
}

void Server::work() {
  const uint64_t end_ns = platform_.now_ns() + kSliceNs;
  while (!queue_.empty()) {
    run(queue_.pop());
    if (platform_.now_ns() >= end_ns) return;
  }
}

void Server::move() {
  const uint64_t now_ns = platform_.now_ns();
  answered_since_move_ = false;
  for (Connection& connection : connections_) {
    if (connection.in_use()) connection.move(now_ns);
  }
  report_if_due(now_ns);
}

uint64_t Server::due_ns() const {
  uint64_t due_ns = status_due_ns_;
  for (const Connection& connection : connections_) {
    if (connection.in_use() && connection.due_ns() < due_ns) due_ns = connection.due_ns();
  }
  return due_ns;
}

void Server::stop() {
  if (stopping_) return;
  stopping_ = true;
  shoal_log("stopping\n");
}

bool Server::finished() const {
  if (!stopping_ || current_ != nullptr || !queue_.empty()) return false;
  for (const Connection& connection : connections_) {
    if (connection.in_use() && connection.has_output()) return false;
  }
  return true;
}

bool Server::yield() {
  if (platform_.now_ns() >= yield_due_ns_) {
    const bool came = platform_.receive();
    move();
    platform_.transmit();
    yield_due_ns_ = platform_.now_ns() + (came ? kSliceInTrafficNs : kSliceNs);
  }
  return !cancelled();
}

void* Server::allocate_scratch(size_t bytes) {
  auto* scratch = static_cast<Scratch*>(allocate(bytes + sizeof(Scratch)));
  if (scratch == nullptr) return nullptr;
  *scratch = {scratch_, nullptr};
  if (scratch_ != nullptr) scratch_->previous = scratch;
  scratch_ = scratch;
  return scratch + 1;
}

void Server::free_scratch(void* memory) {
  if (memory == nullptr) return;
  Scratch* const scratch = static_cast<Scratch*>(memory) - 1;
  if (scratch->next != nullptr) scratch->next->previous = scratch->previous;
  if (scratch->previous != nullptr) {
    scratch->previous->next = scratch->next;
  } else {
    scratch_ = scratch->next;
  }
  heap_.free(scratch);
}

Job* Server::allocate_job(size_t body_size) {
  // Requests must not take the memory that one whole reply and the bytes in the windows need, or nothing would move on. If nothing else
  // is going on there is nothing to wait for: heap_suffices() has seen to it that there is enough then.
  const size_t bytes = sizeof(Job) + body_size;
  while (heap_.free_bytes() < bytes + reserve_bytes() && kept_.drop_oldest()) {
  }
  if (heap_.free_bytes() < bytes + reserve_bytes() && !idle()) return nullptr;
  return static_cast<Job*>(allocate(bytes));
}

size_t Server::reserve_bytes() const { return reply_max(settings_) + connection_count_ * kHeldMax + kTurnedAwayBytes + kSlackBytes; }

/// Kept replies make room.
void* Server::allocate(size_t bytes) {
  void* memory = heap_.allocate(bytes);
  while (memory == nullptr && kept_.drop_oldest()) memory = heap_.allocate(bytes);
  return memory;
}

void Server::enqueue(Job* job) {
  if (job->header.token_size > 0) {
    if (kept_.count() > 0 && kept_.answer(*job, platform_.now_ns())) {
      job->connection->job_ended();
      served_++;
      free_job(job);
      return;
    }
    if (Job* const same = in_work_.find(job->token()); same != nullptr && same->wanted()) {
      Job** last = &same->joined;
      while (*last != nullptr) last = &(*last)->next;
      job->next = nullptr;
      *last = job;
      joined_++;
      return;
    }
    in_work_.add(job);
  }
  queue_.push(job);
}

void Server::cancel(Connection& connection, uint64_t id) {
  const auto matches = [&](const Job& job) { return job.connection == &connection && job.header.id == id; };
  if (current_ != nullptr) {
    if (matches(*current_)) current_->cancelled = true;
    for (Job* party = current_->joined; party != nullptr; party = party->next) {
      if (matches(*party)) party->cancelled = true;
    }
  }
  const auto refuse = [&](Job& job) {
    connection.send_error(job.header, job.token(), 499, "cancelled");
    connection.job_ended();
    served_++;
  };
  const auto take_joined = [&](Job** link) {
    Job* const taken = *link;
    *link = taken->next;
    joined_--;
    return taken;
  };
  queue_.extract(
      [&](Job& job) {
        for (Job** link = &job.joined; *link != nullptr;) {
          if (!matches(**link)) {
            link = &(*link)->next;
            continue;
          }
          Job* const party = take_joined(link);
          refuse(*party);
          free_job(party);
        }
        if (!matches(job) || job.joined == nullptr) return matches(job);
        // The next one that waits takes its place.
        refuse(job);
        Job* const heir = take_joined(&job.joined);
        job.connection = heir->connection;
        job.connection_number = heir->connection_number;
        job.header.id = heir->header.id;
        free_job(heir);
        return false;
      },
      [&](Job* job) {
        refuse(*job);
        leave_work(job);
        free_job(job);
      });
}

void Server::forget(Connection& connection) {
  if (!connection.is_turned_away()) connection_count_--;
  const auto part = [&](Job& job) {
    for (Job* party = &job; party != nullptr; party = party == &job ? job.joined : party->next) {
      if (party->connection == &connection) party->connection = nullptr;
    }
  };
  queue_.extract(
      [&](Job& job) {
        if (job.connection == &connection && job.header.token_size == 0) return true;
        part(job);
        return false;
      },
      [&](Job* job) { free_job(job); });
  if (current_ == nullptr) return;
  if (current_->connection == &connection && current_->header.token_size == 0) current_->cancelled = true;
  part(*current_);
}

void Server::run(Job* job) {
  const Operation* const operation = find_operation(job->operation());
  const bool other_work = operation != last_operation_;
  last_operation_ = operation;
  if (other_work && answered_since_move_) {
    // Replies leave in batches. But before a kind of work that may take longer, or never end, the ones that are ready go out.
    move();
    platform_.transmit();
  }
  current_ = job;
  yield_due_ns_ = platform_.now_ns() + kSliceNs;
  reply_.open(job->header, job->token(), reply_max(settings_));
  if (operation == nullptr) {
    TextWriter<128> why;
    reply_.fail(404, why.add("unknown operation \"").add_foreign(job->operation()).add("\"").text());
  } else if (check_text(*job)) {
    operation->run({operation->name, job->text()}, reply_);
  }
  while (scratch_ != nullptr) free_scratch(scratch_ + 1);
  current_ = nullptr;
  leave_work(job);
  answer(*job);
  free_job(job);
}

bool Server::check_text(Job& job) {
  std::string_view rest = job.text();
  while (!rest.empty()) {
    std::string_view step = rest.size() > kValidateStep ? utf8_prefix(rest, kValidateStep) : rest;
    if (!is_utf8(step)) return reply_.fail(400, "the text is not valid UTF-8");
    rest.remove_prefix(step.size());
    if (!rest.empty() && !yield()) return false;
  }
  return true;
}

void Server::answer(Job& job) {
  answered_since_move_ = true;
  if (job.connection != nullptr && job.connection->is_http()) {
    served_++;
    job.connection->job_ended();
    job.connection->send_http_reply(reply_);
    return;
  }
  Chain& frame = reply_.close();
  while (Job* const party = job.joined) {
    job.joined = party->next;
    joined_--;
    answer_party(*party, frame);
    free_job(party);
  }
  Connection* const connection = job.connection;
  if (connection == nullptr || job.cancelled || frame.empty() || !connection->hears(job.token())) {
    answer_party(job, frame);
    frame.rewind();
    return;
  }
  served_++;
  connection->job_ended();
  reply_.set_id(job.header.id);
  connection->send_reply(frame);
}

/// One of those that wait for this answer, while others may want the frame as well.
void Server::answer_party(Job& party, Chain& frame) {
  served_++;
  Connection* to = party.connection;
  if (to != nullptr) to->job_ended();
  if (party.cancelled) {
    if (to != nullptr) to->send_error(party.header, party.token(), 499, "cancelled");
    return;
  }
  if (to == nullptr || !to->hears(party.token())) to = newest_link(party.connection_number);
  if (!frame.empty()) {
    reply_.set_id(party.header.id);
    if (to != nullptr && to->send_copy(frame)) return;
  }
  if (to != nullptr) {
    to->send_error(party.header, party.token(), 503, "out of memory");
  } else if (!frame.empty()) {
    kept_.keep(frame, party.connection_number, platform_.now_ns(), reserve_bytes());
  }
}

void Server::leave_work(Job* job) {
  if (job->header.token_size > 0) in_work_.remove(job);
}

void Server::describe(TextWriter<2048>& text) const {
  text.add("This is a Shoal guest, version 1. POST a text to /OPERATION, and the answer is a text; / is for the first of them.\n");
  text.add("Operations:");
  for (const Operation& operation : service_.operations) text.add(" ").add_foreign(operation.name);
  text.add("\nThe largest text has ").add(settings_.payload_max).add(" bytes of UTF-8.\n");
}

/// Where a reply goes whose own connection is gone; null: nowhere yet.
Connection* Server::newest_link(uint64_t newer_than) {
  Connection* newest = nullptr;
  for (Connection& connection : connections_) {
    if (!connection.is_open_link() || connection.number() <= newer_than) continue;
    if (newest == nullptr || connection.number() > newest->number()) newest = &connection;
  }
  return newest;
}

const Operation* Server::find_operation(std::string_view name) const {
  if (name.empty()) return service_.operations.data();
  for (const Operation& operation : service_.operations) {
    if (operation.name == name) return &operation;
  }
  return nullptr;
}

bool Server::idle() const {
  if (!queue_.empty() || current_ != nullptr) return false;
  for (const Connection& connection : connections_) {
    if (connection.in_use() && connection.has_partial_request()) return false;
  }
  return true;
}

void Server::report_if_due(uint64_t now_ns) {
  if (now_ns < status_due_ns_) return;
  const uint64_t interval_ns = settings_.status_interval_ms * 1'000'000;
  // From the time when it was due, so that the interval does not creep; anew after a long silence.
  status_due_ns_ = now_ns - status_due_ns_ < interval_ns && status_due_ns_ > 0 ? status_due_ns_ + interval_ns : now_ns + interval_ns;
  const uint64_t in_flight = queue_.size() + joined_ + (current_ != nullptr ? 1 : 0);
  kept_.expire(now_ns);
  telemetry_.print_status(platform_.image_bytes() + heap_.used_bytes(), in_flight, served_);
}

}  // namespace shoal

bool shoal_yield() { return shoal::server_in_work->yield(); }
bool shoal_cancelled() { return shoal::server_in_work->cancelled(); }
void* shoal_allocate(size_t bytes) { return shoal::server_in_work->allocate_scratch(bytes); }
void shoal_free(void* memory) { shoal::server_in_work->free_scratch(memory); }
uint64_t shoal_now_ms() { return shoal::server_in_work->platform().now_ns() / 1'000'000; }
bool shoal_log(std::string_view text) { return shoal::server_in_work->platform().print(text); }
