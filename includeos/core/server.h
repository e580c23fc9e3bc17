// The guest as a whole: connections, the queue over all of them, the request in work, and the reports.
//
// An adapter's main loop: bring in what has come (Connection's events), work(), move(), sleep until due_ns() unless busy().
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "capacity.h"
#include "connection.h"
#include "heap.h"
#include "job_queue.h"
#include "kept_replies.h"
#include "memory_budget.h"
#include "platform.h"
#include "reply_buffer.h"
#include "settings.h"
#include "shoal/service.h"
#include "shoal/text_writer.h"
#include "telemetry.h"
#include "token_table.h"

namespace shoal {

class Server {
 public:
  Server(Platform& platform, const Settings& settings, const Service& service, Heap& heap)
      : Server(platform, settings, service, heap, std::make_index_sequence<kStreamMax>()) {}

  /// Prints the ready line and the first report.
  void start();

  /// Always finds a place: if there is none, a connection that is not served gives way. So an adapter needs kStreamMax + 1 streams.
  Connection& accept(Stream& stream);

  /// Works on requests until there are none or about a millisecond has gone.
  void work();

  /// Moves bytes on all connections, and reports if it is time.
  void move();

  bool busy() const { return !queue_.empty(); }
  /// Whether there is a request in hand, or one of which a part has come.
  bool has_work() const { return in_flight() > 0; }
  uint64_t due_ns() const;

  /// Takes no new requests and finishes those that were accepted.
  void stop();
  bool stopping() const { return stopping_; }
  bool finished() const;

  // For the service, by way of the functions in service.h.
  bool yield();
  bool cancelled() const { return current_ != nullptr && !current_->wanted(); }
  void* allocate_scratch(size_t bytes);
  void free_scratch(void* memory);
  Platform& platform() { return platform_; }

  // For Connection.
  MemoryBudget& memory() { return memory_; }
  size_t payload_max() const { return settings_.payload_max; }
  bool takes_bytes() const { return service_.payload == Payload::bytes; }
  bool queue_full() const { return queue_.size() + joined_ >= kQueueMax; }
  bool knows(std::string_view operation) const { return find_operation(operation) != nullptr; }

  /// What the service is and how it is asked, for people.
  void describe(TextWriter<2048>& text) const;

  bool computing() const { return current_ != nullptr; }

  /// Gives a connection whose protocol is known a place among those that are served; the one that has been idle longest gives way. False:
  /// all are in use.
  bool admit(Connection& newcomer);

  /// Takes a request that is complete.
  void enqueue(Job* job);

  /// A request was answered without having been enqueued.
  void count_served() { served_++; }
  void cancel(Connection& connection, uint64_t id);

  /// Prints a line that the controller is to have. False: it is none.
  bool relay(std::string_view line) { return telemetry_.print_relay(line); }

  /// The first frame has come on a connection.
  void link_opened(Connection& connection) { kept_.send_to(connection, platform_.now_ns()); }

  /// The connection is gone: requests without a token end with it, the replies to others are kept.
  void forget(Connection& connection);

 private:
  struct Scratch {
    Scratch* next;
    Scratch* previous;
  };

  template <size_t... Index>
  Server(Platform& platform, const Settings& settings, const Service& service, Heap& heap, std::index_sequence<Index...>)
      : platform_(platform),
        settings_(settings),
        service_(service),
        heap_(heap),
        telemetry_(platform),
        kept_(heap),
        memory_(heap, kept_, settings),
        reply_(heap, memory_),
        connections_{(static_cast<void>(Index), Connection(*this, heap))...} {
    serve_functions();
  }

  void serve_functions();
  Connection* longest_idle(bool is_http);
  Connection& first_to_give_way();
  void run(Job* job);
  void fail_for_memory(const Job& job);
  bool is_alone(const Job& job) const;
  bool check_text(Job& job);
  void check_reply();
  void answer(Job& job);
  void answer_party(Job& party, Chain& frame);
  void leave_work(Job* job);
  Connection* newest_link(uint64_t newer_than);
  const Operation* find_operation(std::string_view name) const;
  uint64_t in_flight() const;
  void report_if_due(uint64_t now_ns);

  Platform& platform_;
  const Settings& settings_;
  const Service& service_;
  Heap& heap_;
  Telemetry telemetry_;
  KeptReplies kept_;
  MemoryBudget memory_;
  ReplyBuffer reply_;
  TokenTable in_work_;
  JobQueue queue_;
  size_t joined_ = 0;  // requests that wait with another one
  Job* current_ = nullptr;
  const Operation* last_operation_ = nullptr;
  bool answered_since_move_ = false;
  Scratch* scratch_ = nullptr;
  size_t lacking_bytes_ = 0;          // the largest allocation that failed for the request in work
  bool was_alone_ = false;            // all the time that the request in work has taken so far
  size_t connection_count_ = 0;       // those that are served
  size_t http_connection_count_ = 0;  // of them
  uint64_t connections_ever_ = 0;
  uint64_t served_ = 0;
  uint64_t yield_due_ns_ = 0;
  uint64_t status_due_ns_ = 0;
  uint64_t reading_end_ns_ = 0;       // after stop()
  bool stopping_ = false;
  Connection connections_[kStreamMax];
};

}  // namespace shoal
