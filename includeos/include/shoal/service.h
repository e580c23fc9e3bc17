// Everything that a service needs to know of its guest. Write your own: define `shoal::service` with a table of operations.
//
//   bool shout(const shoal::Request& request, shoal::Reply& reply) {
//     return reply.write(request.text) && reply.write("!");
//   }
//   constexpr shoal::Operation operations[] = {{"shout", shout}};
//   const shoal::Service shoal::service = {operations, /*idempotent=*/true};
//
// A guest works on one request at a time and has one thread. What computes for longer than about a millisecond calls
// shoal_yield() every now and then, so that the guest goes on to answer pings, to take requests and to report its load. A service
// that does not is silent meanwhile, and is taken for stuck once its request is past its deadline.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace shoal {

struct Request {
  std::string_view operation;
  std::string_view text;  // at most `shoal.max` bytes, unchanged until the operation returns; valid UTF-8, unless the service takes bytes
  std::string_view content_type = {};  // of a service that takes bytes: what they are, if the client says so
};

/// Takes the answer, piece by piece. Nothing of it is sent before the operation returns, so fail() may come at any time.
class Reply {
 public:
  /// False: no room (the guest answers 413 or 503 by itself); the operation may return.
  bool write(std::string_view bytes);

  bool write(char byte) {
    if (cursor_ == end_ && !grow()) return false;
    *cursor_++ = byte;
    return true;
  }

  /// Says what the bytes are, as the header Content-Type does; before the first write. False: it comes too late, or is not 1 to 255 printable
  /// ASCII characters without blanks around them. Of a service that gives text it means nothing.
  bool content_type(std::string_view type) { return set_content_type(type); }

  /// Answers with an error instead: `code` 400 to 599 as in HTTP, a message for people. Returns false, for `return reply.fail(...)`.
  bool fail(unsigned code, std::string_view message);

 protected:
  Reply() = default;
  ~Reply() = default;
  virtual bool grow() = 0;
  virtual void set_error(unsigned code, std::string_view message) = 0;
  virtual bool set_content_type(std::string_view type) = 0;

  char* cursor_ = nullptr;
  char* end_ = nullptr;
};

struct Operation {
  std::string_view name;  // 1 to 64 bytes of a-z, 0-9, '-', '.', '_'

  /// False is for leaving early: after a write that had no room, after fail(), or once cancelled.
  bool (*run)(const Request& request, Reply& reply);
};

/// What requests and replies are. Text is checked: what is not UTF-8 is answered with an error.
enum class Payload : uint8_t { text, bytes };

struct Service {
  std::span<const Operation> operations;  // one or more; the first is for requests that name none
  bool idempotent;                        // whether a request may be worked on twice, if a VM dies
  Payload payload = Payload::text;        // bytes: any, with a content type; the image's profile has to say so as well
};

/// Defined by the service.
extern const Service service;

}  // namespace shoal

/// Lets the guest do what is due; cheap when nothing is. False: the request is cancelled, nobody waits for its answer.
bool shoal_yield();

/// Whether the request being worked on is cancelled. Only shoal_yield() can make it so.
bool shoal_cancelled();

/// Memory for the request being worked on, aligned to 16 bytes, freed by itself when the operation returns. Null: there is not so much.
void* shoal_allocate(size_t bytes);

/// Gives such memory back early.
void shoal_free(void* memory);

/// Milliseconds since the guest's start.
uint64_t shoal_now_ms();

/// Prints on the guest's console as it is; whole lines, please, and none that start with "shoal1 ". False: the console's reader is too
/// slow, and nothing was printed.
bool shoal_log(std::string_view text);
