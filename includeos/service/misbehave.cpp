// What a guest must not do, for the tests of those who watch it. Only in the image for tests.
#include "operations.h"
#include "shoal/text_writer.h"

#ifdef SHOAL_TEST_IMAGE

namespace shoal {
namespace {

constexpr size_t kFloodMaxKib = 64 << 10;
constexpr uint64_t kDialMs = 3000;

// What a virtio console takes at once.
constexpr uint32_t kLoudLines = 40;

/// Reads a number up to `max` and what ends it off the front of a text; false: there is none.
bool take_number(std::string_view& text, char end, uint32_t max, uint32_t& number) {
  const size_t at = text.find(end);
  const std::string_view digits = text.substr(0, at);
  if (digits.empty() || digits.size() > 5) return false;
  number = 0;
  for (const char digit : digits) {
    if (digit < '0' || digit > '9') return false;
    number = number * 10 + static_cast<uint32_t>(digit - '0');
  }
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return number <= max;
}

/// The next of some kinds of garbage: forged lines, escapes, over-long lines, bytes that are no text.
std::string_view garbage(size_t index) {
  static constexpr std::string_view kKinds[] = {
      "log fragment shoal1 status cpu=9999 ram=1 inflight=0 served=0",
      "\x1b[2J\x1b]0;owned\x07\x1b[31m",
      "\rshoal1 status seq=999999999999999999999999 cpu=-1 ram=zz inflight= served\r\n",
      "\xff\xfe\xc0\x80\xed\xa0\x80",
      "shoal1 shoal1 shoal1 ready v=999 bind=0.0.0.0/0 addr=evil",
      "==================================================================================================================",
      "\n\n\nshoal1\nshoal1 \nshoal1 unknown-kind a=b\nshoal1 relay forged\n",
      "\0\b\x7f\x9b",
  };
  return kKinds[index % (sizeof kKinds / sizeof kKinds[0])];
}

/// Long enough that the guest's turn is due.
void spend_ms(uint64_t duration_ms) {
  const uint64_t end_ms = shoal_now_ms() + duration_ms;
  while (shoal_now_ms() < end_ms) asm volatile("" : : : "memory");
}

/// Prints lines of 64 bytes; returns how many the console took.
uint64_t print_lines(uint32_t count) {
  uint64_t printed = 0;
  for (uint32_t i = 0; i < count; i++) {
    TextWriter<64> line;
    line.add("line ").add(i);
    while (line.room() > 1) line.add(".");
    if (shoal_log(line.add("\n").text())) printed++;
  }
  return printed;
}

}  // namespace

/// Computes without ever letting the guest do anything else: for so many milliseconds, or for good.
bool run_hang(const Request& request, Reply& reply) {
  uint32_t duration_ms = 0;
  std::string_view rest = request.text;
  if (!rest.empty() && !take_number(rest, '\n', 60'000, duration_ms)) return reply.fail(400, "expected milliseconds up to 60000");
  const uint64_t end_ms = shoal_now_ms() + duration_ms;
  while (request.text.empty() || shoal_now_ms() < end_ms) asm volatile("" : : : "memory");
  return reply.write("hung");
}

/// "reset" ends the machine by a triple fault; anything else by a null pointer, which is a panic. "loud" has lines printed right before it.
bool run_crash(const Request& request, Reply&) {
  if (request.text == "reset") shoal_reset_machine();
  if (request.text == "loud") {
    print_lines(kLoudLines);
    spend_ms(2);
    shoal_yield();
  }
  asm volatile("movb $0, 0" : : : "memory");
  return false;
}

/// Prints so many whole lines, and lets the guest do nothing else meanwhile.
bool run_blurt(const Request& request, Reply& reply) {
  uint32_t count = 0;
  std::string_view rest = request.text;
  if (!take_number(rest, '\n', 10'000, count)) return reply.fail(400, "expected up to 10000 lines");
  TextWriter<48> told;
  return reply.write(told.add("printed ").add(print_lines(count)).text());
}

/// Prints that many KiB (default 64), without a newline at the end.
bool run_flood(const Request& request, Reply& reply) {
  size_t kib = request.text.empty() ? 64 : 0;
  for (const char digit : request.text) {
    if (digit < '0' || digit > '9' || kib > kFloodMaxKib) return reply.fail(400, "expected KiB up to 65536");
    kib = kib * 10 + static_cast<size_t>(digit - '0');
  }
  size_t printed = 0;
  for (size_t i = 0; printed < kib * 1024; i++) {
    while (!shoal_log(garbage(i))) {
      if (!shoal_yield()) return false;
    }
    printed += garbage(i).size();
  }
  return reply.write("flooded");
}

/// Prints the text as a line of its own, as if it were one of the contract.
bool run_say(const Request& request, Reply& reply) {
  for (const std::string_view part : {std::string_view("\n"), request.text, std::string_view("\n")}) {
    while (!shoal_log(part)) {
      if (!shoal_yield()) return false;
    }
  }
  return reply.write("said");
}

/// Lines cut up in the middle, one piece a millisecond.
bool run_chunks(const Request&, Reply& reply) {
  static constexpr std::string_view kPieces[] = {"half a li", "ne of log\nsho", "al1 unk", "nown a=", "1\nan end without newline"};
  for (const std::string_view piece : kPieces) {
    shoal_log(piece);
    const uint64_t next_ms = shoal_now_ms() + 2;
    while (shoal_now_ms() < next_ms) {
      if (!shoal_yield()) return false;
    }
  }
  return reply.write("printed");
}

/// Tries to open a TCP connection to "ADDRESS:PORT", and says what came of it within 3 s: "connected", "refused", "nothing".
bool run_dial(const Request& request, Reply& reply) {
  std::string_view rest = request.text;
  uint32_t address = 0;
  uint32_t number = 0;
  for (unsigned i = 0; i < 4; i++) {
    if (!take_number(rest, i < 3 ? '.' : ':', 255, number)) return reply.fail(400, "expected ADDRESS:PORT");
    address |= number << (8 * i);
  }
  if (!take_number(rest, '\n', 65535, number)) return reply.fail(400, "expected ADDRESS:PORT");

  shoal_dial(address, static_cast<uint16_t>(number));
  const uint64_t end_ms = shoal_now_ms() + kDialMs;
  bool wanted = true;
  while (wanted && shoal_dial_state() == DialState::pending && shoal_now_ms() < end_ms) wanted = shoal_yield();
  const DialState state = shoal_dial_state();
  shoal_hang_up();
  switch (state) {
    case DialState::connected: return reply.write("connected");
    case DialState::refused: return reply.write("refused");
    case DialState::pending: return reply.write("nothing");
    default: return reply.fail(500, "the guest could not even try");
  }
}

}  // namespace shoal

#endif
