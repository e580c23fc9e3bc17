// The guest as a whole: connections, the queue over all of them, the request in work, and the reports.
//
// An adapter's main loop: bring in what has come (Connection's events), work(), move(), sleep until due_ns() unless busy().
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "connection.h"
#include "heap.h"
#include "job_queue.h"
#include "kept_replies.h"
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
  static constexpr size_t kConnectionMax = 32;
  static constexpr size_t kTurnedAwayMax = 16;  // connections beyond these, which are told 503 and closed
  static constexpr size_t kStreamMax = kConnectionMax + kTurnedAwayMax;
  static constexpr size_t kQueueMax = 1024;
  static constexpr size_t kWindowMax = 32 << 10;  // the most that an adapter lets a peer send before consumed()

  Server(Platform& platform, const Settings& settings, const Service& service, Heap& heap)
      : Server(platform, settings, service, heap, std::make_index_sequence<kStreamMax>()) {}

  /// Whether that much heap will do for these settings.
  static bool heap_suffices(size_t heap_bytes, const Settings& settings);

  /// Prints the ready line and the first report.
  void start();

  /// Null: there are too many already, and too many of those that are being turned away.
  Connection* accept(Stream& stream);

  /// Works on requests until there are none or about a millisecond has gone.
  void work();

  /// Moves bytes on all connections, and reports if it is time.
  void move();

  bool busy() const { return !queue_.empty(); }
  uint64_t due_ns() const;

  /// Nothing new; what is accepted is finished.
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
  size_t payload_max() const { return settings_.payload_max; }
  bool queue_full() const { return queue_.size() + joined_ >= kQueueMax; }
  bool knows(std::string_view operation) const { return find_operation(operation) != nullptr; }

  /// What the service is and how it is asked, for people.
  void describe(TextWriter<2048>& text) const;

  bool computing() const { return current_ != nullptr; }
  Job* allocate_job(size_t body_size);
  void shrink_job(Job* job, size_t body_size) { heap_.shrink(job, sizeof(Job) + body_size); }
  void free_job(Job* job) { heap_.free(job); }

  /// A request is there in full.
  void enqueue(Job* job);
  void cancel(Connection& connection, uint64_t id);

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
        reply_(heap),
        kept_(heap),
        connections_{(static_cast<void>(Index), Connection(*this, heap))...} {}

  void run(Job* job);
  bool check_text(Job& job);
  void answer(Job& job);
  void answer_party(Job& party, Chain& frame);
  void leave_work(Job* job);
  Connection* newest_link(uint64_t newer_than);
  void* allocate(size_t bytes);
  size_t reserve_bytes() const;
  const Operation* find_operation(std::string_view name) const;
  bool idle() const;
  void report_if_due(uint64_t now_ns);

  Platform& platform_;
  const Settings& settings_;
  const Service& service_;
  Heap& heap_;
  Telemetry telemetry_;
  ReplyBuffer reply_;
  KeptReplies kept_;
  TokenTable in_work_;
  JobQueue queue_;
  size_t joined_ = 0;  // requests that wait with another one
  Job* current_ = nullptr;
  const Operation* last_operation_ = nullptr;
  bool answered_since_move_ = false;
  Scratch* scratch_ = nullptr;
  size_t connection_count_ = 0;  // without those that are turned away
  uint64_t connections_ever_ = 0;
  uint64_t served_ = 0;
  uint64_t yield_due_ns_ = 0;
  uint64_t status_due_ns_ = 0;
  bool stopping_ = false;
  Connection connections_[kStreamMax];
};

}  // namespace shoal
