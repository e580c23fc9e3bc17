#include "log.h"

#include <cstdint>

#include "shoal/service.h"
#include "shoal/text_writer.h"
#include "shoal/utf8.h"
#include "wasi.h"

namespace shoal::engine {
namespace {

// The console takes 16 KiB at a time, and the guest's reports need room there too.
constexpr uint64_t kBytesAtOnce = 8 << 10;
constexpr uint64_t kBytesPerMs = 8;
constexpr size_t kTextMax = 4 << 10;

constinit uint64_t allowance = kBytesAtOnce;
constinit uint64_t refilled_ms = 0;
constinit uint64_t dropped = 0;

void refill() {
  const uint64_t now_ms = shoal_now_ms();
  allowance += (now_ms - refilled_ms) * kBytesPerMs;
  if (allowance > kBytesAtOnce) allowance = kBytesAtOnce;
  refilled_ms = now_ms;
}

void print_line(std::string_view text) {
  wasm::print(text);
  wasm::print("\n");
}

}  // namespace

void log_text(std::string_view text) {
  constexpr std::string_view kMore = "...";
  constexpr size_t kNoteMax = 64;
  refill();
  const bool is_cut = text.size() > kTextMax;
  if (is_cut) text = utf8_prefix(text, kTextMax);
  if (text.size() + kMore.size() + kNoteMax > allowance) {
    dropped++;
    return;
  }
  if (dropped > 0) {
    TextWriter<kNoteMax> note;
    print_line(note.add("(dropped here: ").add(dropped).add(" entries of the log)").text());
    allowance -= note.text().size() + 1;
    dropped = 0;
  }
  allowance -= text.size() + kMore.size() + 1;
  wasm::print(text);
  print_line(is_cut ? kMore : "");
}

void log_line(std::string_view line) { print_line(line); }

}  // namespace shoal::engine
