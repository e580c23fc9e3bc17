#include "server.h"

#include "shoal/text_writer.h"
#include "shoal/utf8.h"

namespace shoal {
namespace {

constexpr uint64_t kSliceNs = 1'000'000;  // how long the network may wait for the service
constexpr uint64_t kSliceInTrafficNs = 200'000;  // and while more is to be expected: the peer waits for each window
constexpr size_t kValidateStep = 64 << 10;

// How long a request that is being read when the guest is told to stop may take to become complete.
constexpr uint64_t kReadingAfterStopNs = 1'000'000'000;

// A byte on a console may take as long as a short request. The first requests come before the first report.
constexpr uint64_t kFirstReportNs = 10'000'000;

Server* server_in_work = nullptr;  // for the functions of service.h

}  // namespace

/// From now on the functions of service.h are about this server.
void Server::serve_functions() { server_in_work = this; }

void Server::start() {
  telemetry_.print_ready(settings_, service_);
  status_due_ns_ = platform_.now_ns() + kFirstReportNs;
}

Connection& Server::accept(Stream& stream) {
  Connection* place = nullptr;
  for (Connection& connection : connections_) {
    if (connection.in_use()) continue;
    place = &connection;
    break;
  }
  if (place == nullptr) {
    place = &first_to_give_way();
    place->give_way();
  }
  place->open(stream, ++connections_ever_);
  return *place;
}

bool Server::admit(Connection& newcomer) {
  const bool is_http = newcomer.is_http();
  if (connection_count_ == kConnectionMax || (is_http && http_connection_count_ == kHttpConnectionMax)) {
    Connection* idle = longest_idle(true);
    if (idle == nullptr && !is_http) idle = longest_idle(false);
    if (idle == nullptr) return false;
    idle->give_way();
  }
  connection_count_++;
  if (is_http) http_connection_count_++;
  return true;
}

/// Of those that speak this protocol; null: none is idle.
Connection* Server::longest_idle(bool is_http) {
  const uint64_t now_ns = platform_.now_ns();
  Connection* longest = nullptr;
  for (Connection& connection : connections_) {
    if (!connection.is_admitted() || connection.is_http() != is_http || !connection.is_idle(now_ns)) continue;
    if (longest == nullptr || connection.active_ns() < longest->active_ns()) longest = &connection;
  }
  return longest;
}

/// Of those that are not served: the oldest that was turned away, or else the oldest that has not shown its protocol. There is one if all
/// places are taken, since fewer than that are served.
Connection& Server::first_to_give_way() {
  Connection* first = nullptr;
  for (Connection& connection : connections_) {
    if (connection.is_admitted()) continue;
    const bool sooner = first == nullptr || (connection.is_turned_away() && !first->is_turned_away()) ||
                        (connection.is_turned_away() == first->is_turned_away() && connection.number() < first->number());
    if (sooner) first = &connection;
  }
  return *first;
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
  if (stopping_ && reading_end_ns_ < due_ns) due_ns = reading_end_ns_;
  for (const Connection& connection : connections_) {
    if (connection.in_use() && connection.due_ns() < due_ns) due_ns = connection.due_ns();
  }
  return due_ns;
}

void Server::stop() {
  if (stopping_) return;
  stopping_ = true;
  reading_end_ns_ = platform_.now_ns() + kReadingAfterStopNs;
  shoal_log("stopping\n");
}

bool Server::finished() const {
  if (!stopping_ || current_ != nullptr || !queue_.empty()) return false;
  const bool reading = platform_.now_ns() < reading_end_ns_;
  for (const Connection& connection : connections_) {
    if (connection.has_output() || (reading && connection.has_partial_request())) return false;
  }
  return true;
}

bool Server::yield() {
  if (platform_.now_ns() >= yield_due_ns_) {
    const bool came = platform_.receive();
    move();
    platform_.transmit();
    was_alone_ = was_alone_ && current_ != nullptr && is_alone(*current_);
    yield_due_ns_ = platform_.now_ns() + (came ? kSliceInTrafficNs : kSliceNs);
  }
  return !cancelled();
}

void* Server::allocate_scratch(size_t bytes) {
  auto* const scratch =
      bytes < SIZE_MAX / 2 ? static_cast<Scratch*>(memory_.allocate_scratch(bytes + sizeof(Scratch))) : nullptr;
  if (scratch == nullptr) {
    if (bytes > lacking_bytes_) lacking_bytes_ = bytes;
    return nullptr;
  }
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
  memory_.free_scratch(scratch);
}

void Server::enqueue(Job* job) {
  if (job->header.token_size > 0) {
    if (kept_.count() > 0 && kept_.answer(*job, platform_.now_ns())) {
      job->connection->job_ended();
      served_++;
      memory_.free(job);
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
          memory_.free(party);
        }
        if (!matches(job) || job.joined == nullptr) return matches(job);
        // The next one that waits takes its place.
        refuse(job);
        Job* const heir = take_joined(&job.joined);
        job.connection = heir->connection;
        job.connection_number = heir->connection_number;
        job.header.id = heir->header.id;
        memory_.free(heir);
        return false;
      },
      [&](Job* job) {
        refuse(*job);
        leave_work(job);
        memory_.free(job);
      });
}

void Server::forget(Connection& connection) {
  if (connection.is_admitted()) {
    connection_count_--;
    if (connection.is_http()) http_connection_count_--;
  }
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
      [&](Job* job) { memory_.free(job); });
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
  lacking_bytes_ = 0;
  was_alone_ = is_alone(*job);
  yield_due_ns_ = platform_.now_ns() + kSliceNs;
  reply_.open(job->header, job->token(), MemoryBudget::reply_max(settings_));
  bool done = false;
  if (operation == nullptr) {
    TextWriter<128> why;
    reply_.fail(404, why.add("unknown operation \"").add_foreign(job->operation()).add("\"").text());
  } else if (check_text(*job)) {
    done = operation->run({operation->name, job->text(), job->content_type()}, reply_);
    if (!takes_bytes() && reply_.error_code() == 0 && !cancelled()) check_reply();
  }
  if (reply_.lacks_memory() || (!done && lacking_bytes_ > 0)) fail_for_memory(*job);
  while (scratch_ != nullptr) free_scratch(scratch_ + 1);
  current_ = nullptr;
  leave_work(job);
  answer(*job);
  memory_.free(job);
}

/// A request that lacks memory can be sent again, unless it would lack it even if it were the only one. Others may have ended since memory
/// was refused, so what counts is whether it was alone from its beginning. It may lie where others left it, in the midst of the memory.
void Server::fail_for_memory(const Job& job) {
  const bool had_all = was_alone_ && !memory_.is_in_the_way(job);
  if (had_all || !memory_.could_ever_allocate(job, lacking_bytes_)) {
    reply_.fail(413, "the text takes more memory to work on than this guest has");
  } else {
    reply_.fail(503, "busy");
  }
}

/// Whether nothing but this request and its reply takes memory.
bool Server::is_alone(const Job& job) const {
  if (memory_.held_bytes() != job.held_bytes) return false;
  for (const Connection& connection : connections_) {
    if (connection.has_output() || connection.has_input()) return false;
  }
  return true;
}

bool Server::check_text(Job& job) {
  if (takes_bytes()) return true;
  std::string_view rest = job.text();
  while (!rest.empty()) {
    std::string_view step = rest.size() > kValidateStep ? utf8_prefix(rest, kValidateStep) : rest;
    if (!is_utf8(step)) return reply_.fail(400, "the text is not valid UTF-8");
    rest.remove_prefix(step.size());
    if (!rest.empty() && !yield()) return false;
  }
  return true;
}

/// The pieces of a reply may cut characters in two.
void Server::check_reply() {
  char cut[4];
  size_t cut_size = 0;
  size_t front = FrameHeader::kSize + current_->header.token_size;
  for (const Piece* piece = reply_.pieces(); piece != nullptr; piece = piece->next) {
    std::string_view rest{piece->bytes + piece->start + front, piece->size() - front};
    front = 0;
    while (cut_size > 0 && cut_size < sizeof cut && !rest.empty()) {
      cut[cut_size++] = rest.front();
      rest.remove_prefix(1);
      if (is_utf8({cut, cut_size})) cut_size = 0;
    }
    if (cut_size == sizeof cut) break;
    const size_t whole = rest.size() - utf8_cut(rest);
    if (cut_size == 0 && !is_utf8({rest.data(), whole})) {
      cut_size = sizeof cut;
      break;
    }
    rest.remove_prefix(whole);
    for (const char byte : rest) cut[cut_size++] = byte;
    if (!yield()) return;
  }
  if (cut_size > 0) reply_.fail(400, "the service's reply is not valid UTF-8, and it is one that gives text");
}

void Server::answer(Job& job) {
  answered_since_move_ = true;
  if (job.connection != nullptr && job.is_http) {
    job.connection->job_ended();
    job.connection->send_http_reply(reply_);
    return;
  }
  Chain& frame = reply_.close();
  while (Job* const party = job.joined) {
    job.joined = party->next;
    joined_--;
    answer_party(*party, frame);
    memory_.free(party);
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
    to->send_error(party.header, party.token(), 503, "busy");
  } else if (!frame.empty()) {
    kept_.keep(frame, party.connection_number, platform_.now_ns(), memory_.reserve_bytes());
  }
}

void Server::leave_work(Job* job) {
  if (job->header.token_size > 0) in_work_.remove(job);
}

void Server::describe(TextWriter<2048>& text) const {
  const std::string_view what = takes_bytes() ? "bytes" : "a text";
  text.add("This is a Shoal guest, version 1. POST ").add(what).add(" to /OPERATION, and the answer is ").add(what);
  text.add("; / is for the first of them.\n");
  text.add("Operations:");
  for (const Operation& operation : service_.operations) text.add(" ").add_foreign(operation.name);
  text.add("\nThe largest text has ").add(settings_.payload_max).add(takes_bytes() ? " bytes.\n" : " bytes of UTF-8.\n");
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

uint64_t Server::in_flight() const {
  uint64_t count = queue_.size() + joined_ + (current_ != nullptr ? 1 : 0);
  for (const Connection& connection : connections_) {
    if (connection.in_use() && connection.reads_request()) count++;
  }
  return count;
}

void Server::report_if_due(uint64_t now_ns) {
  if (now_ns < status_due_ns_) return;
  const uint64_t interval_ns = settings_.status_interval_ms * 1'000'000;
  // From the time when it was due, so that the interval does not creep; anew after a long silence.
  status_due_ns_ = now_ns - status_due_ns_ < interval_ns ? status_due_ns_ + interval_ns : now_ns + interval_ns;
  kept_.expire(now_ns);
  telemetry_.print_status(platform_.image_bytes() + heap_.used_bytes(), in_flight(), served_);
}

}  // namespace shoal

bool shoal_yield() { return shoal::server_in_work->yield(); }
bool shoal_cancelled() { return shoal::server_in_work->cancelled(); }
void* shoal_allocate(size_t bytes) { return shoal::server_in_work->allocate_scratch(bytes); }
void shoal_free(void* memory) { shoal::server_in_work->free_scratch(memory); }
uint64_t shoal_now_ms() { return shoal::server_in_work->platform().now_ns() / 1'000'000; }
bool shoal_log(std::string_view text) { return shoal::server_in_work->platform().print(text); }
