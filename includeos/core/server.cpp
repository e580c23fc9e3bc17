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

// What a connection can have waiting for room: its window, in whole pieces.
constexpr size_t kHeldMax = (Server::kWindowMax / Piece::kCapacity + 2) * sizeof(Piece);

size_t reply_max(const Settings& settings) {
  return settings.payload_max > kReplyMaxLeast ? settings.payload_max : kReplyMaxLeast;
}

Server* server_in_work = nullptr;  // for the functions of service.h

}  // namespace

bool Server::heap_suffices(size_t heap_bytes, const Settings& settings) {
  return heap_bytes >= settings.payload_max + reply_max(settings) + kConnectionMax * kHeldMax + kSlackBytes;
}

void Server::start() {
  server_in_work = this;
  telemetry_.print_ready(settings_, service_);
  report_if_due(platform_.now_ns());
}

Connection* Server::accept(Stream& stream) {
  for (Connection& connection : connections_) {
    if (connection.in_use()) continue;
    connection.open(stream);
    connection_count_++;
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
  auto* scratch = static_cast<Scratch*>(heap_.allocate(bytes + sizeof(Scratch)));
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
  if (heap_.free_bytes() < bytes + reply_max(settings_) + connection_count_ * kHeldMax + kSlackBytes && !idle()) return nullptr;
  return static_cast<Job*>(heap_.allocate(bytes));
}

void Server::cancel(Connection& connection, uint64_t id) {
  const auto matches = [&](const Job& job) { return job.connection == &connection && job.header.id == id; };
  if (current_ != nullptr && matches(*current_)) current_->cancelled = true;
  queue_.extract(matches, [&](Job* job) {
    connection.send_error(job->header, job->token(), 499, "cancelled");
    connection.job_ended();
    served_++;
    free_job(job);
  });
}

void Server::forget(Connection& connection) {
  connection_count_--;
  queue_.extract([&](const Job& job) { return job.connection == &connection; }, [&](Job* job) { free_job(job); });
  if (current_ != nullptr && current_->connection == &connection) {
    current_->connection = nullptr;
    current_->cancelled = true;
  }
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
  served_++;
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
  Connection* const connection = job.connection;
  if (connection == nullptr) return;
  connection->job_ended();
  answered_since_move_ = true;
  if (job.cancelled) {
    connection->send_error(job.header, job.token(), 499, "cancelled");
  } else if (reply_.error_code() != 0) {
    connection->send_error(job.header, job.token(), reply_.error_code(), reply_.error_message());
  } else {
    connection->send_reply(reply_.close());
  }
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
  const uint64_t in_flight = queue_.size() + (current_ != nullptr ? 1 : 0);
  telemetry_.print_status(platform_.image_bytes() + heap_.used_bytes(), in_flight, served_);
}

}  // namespace shoal

bool shoal_yield() { return shoal::server_in_work->yield(); }
bool shoal_cancelled() { return shoal::server_in_work->cancelled(); }
void* shoal_allocate(size_t bytes) { return shoal::server_in_work->allocate_scratch(bytes); }
void shoal_free(void* memory) { shoal::server_in_work->free_scratch(memory); }
uint64_t shoal_now_ms() { return shoal::server_in_work->platform().now_ns() / 1'000'000; }
bool shoal_log(std::string_view text) { return shoal::server_in_work->platform().print(text); }
