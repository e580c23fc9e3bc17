// The guest on IncludeOS: the platform that the core asks for, and the event loop.
#include <exception>
#include <hw/cpu.hpp>
#include <kernel/events.hpp>
#include <net/interfaces>
#include <os>
#include <service>
#include <timers>

#include "boot_text.h"
#include "console.h"
#include "console_input.h"
#include "heap_memory.h"
#include "server.h"
#include "settings.h"
#include "shoal/text_writer.h"
#include "tcp_stream.h"
#include "telemetry.h"

extern char _ELF_START_;
extern char _end;

namespace shoal::on_includeos {
namespace {

constexpr uint8_t kCleanStop = 0x21;
constexpr uint8_t kBadArgument = 0x22;
constexpr uint8_t kPanic = 0x23;

constexpr uint64_t kNsPerMs = 1'000'000;

// A timer wakes the guest so often, and at least twice for each report: nothing else tells of input on the console, or of time that is up.
constexpr uint64_t kWakeIntervalMs = 20;

// How long clients have to take their last replies, and a slow reader of the console its last lines.
constexpr uint64_t kLastRepliesNs = 5000 * kNsPerMs;
constexpr uint64_t kLastLinesNs = 1000 * kNsPerMs;

/// Volatile, so that two reads around a `hlt` stay two.
uint64_t read_tsc() {
  uint32_t low = 0;
  uint32_t high = 0;
  asm volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
  return (static_cast<uint64_t>(high) << 32) | low;
}

class IncludeosPlatform final : public Platform {
 public:
  IncludeosPlatform() : tsc_at_start_(read_tsc()) {}

  uint64_t now_ns() override { return ns_of(read_tsc() - tsc_at_start_); }
  uint64_t asleep_ns() override { return ns_of(asleep_tsc_); }

  /// All of the heap beside the server's own, which the server counts itself.
  uint64_t image_bytes() override { return static_cast<uint64_t>(&_end - &_ELF_START_) + heap_usage() - server_heap_bytes; }

  bool print(std::string_view text) override { return console_.print(text); }
  bool receive() override;
  void transmit() override;

  void sleep();
  void flush_console_within(uint64_t limit_ns);

  Server* server = nullptr;
  TcpStreams* streams = nullptr;
  size_t server_heap_bytes = 0;

 private:
  static uint64_t ns_of(uint64_t ticks) { return static_cast<uint64_t>(static_cast<double>(ticks) * 1e6 / os::cpu_freq().count()); }

  uint64_t tsc_at_start_;
  uint64_t asleep_tsc_ = 0;
  Console console_;
  ConsoleInput console_input_;
};

/// Interrupts are off while the guest does not sleep, so those that wait are let in here. IncludeOS's handlers only note them;
/// process_events() does the work.
bool IncludeosPlatform::receive() {
  asm volatile("sti; nop; cli" : : : "memory");
  Events::get(0).process_events();
  const bool came = streams->receive();
  char bytes[64];
  while (const size_t size = read_console(bytes, sizeof bytes)) {
    console_input_.feed({bytes, size}, [this](std::string_view line) {
      if (line == "stop") server->stop();
    });
  }
  return came;
}

/// The driver tells the card of what it is to send in an event, not at once.
void IncludeosPlatform::transmit() {
  Events::get(0).process_events();
  console_.flush();
}

/// Interrupts are off but for the sleep itself, so that none falls between the last look and the `hlt`.
void IncludeosPlatform::sleep() {
  const uint64_t before = read_tsc();
  asm volatile("sti; hlt; cli" : : : "memory");
  asleep_tsc_ += read_tsc() - before;
}

void IncludeosPlatform::flush_console_within(uint64_t limit_ns) {
  const uint64_t end_ns = now_ns() + limit_ns;
  do {
    console_.flush();
  } while (console_.has_output() && now_ns() < end_ns);
}

/// In the order of the wire, as all addresses.
uint32_t mask_of(unsigned prefix) { return __builtin_bswap32(~uint32_t{0} << (32 - prefix)); }

/// IncludeOS throws if there is none.
bool has_network_card() {
  try {
    return !net::Interfaces::get().empty();
  } catch (const std::exception&) {
    return false;
  }
}

void wake_for_reports(const Settings& settings) {
  const uint64_t half_ms = settings.status_interval_ms / 2;
  Timers::periodic(std::chrono::milliseconds(half_ms < kWakeIntervalMs ? half_ms : kWakeIntervalMs), [](Timers::id_t) {});
}

void run(IncludeosPlatform& platform, Server& server, const TcpStreams& streams) {
  while (!server.finished()) {
    platform.receive();
    server.work();
    server.move();
    platform.transmit();
    if (!server.busy() && !server.finished() && !streams.has_input()) platform.sleep();
  }
}

void say_goodbye(IncludeosPlatform& platform, TcpStreams& streams) {
  const uint64_t end_ns = platform.now_ns() + kLastRepliesNs;
  bool closed = false;
  do {
    closed = streams.close();
    platform.transmit();
    platform.sleep();  // also once they have all: QEMU has to pass it on
    platform.receive();
  } while (!closed && platform.now_ns() < end_ns);
  Telemetry(platform).print_bye("stop");
}

/// Without isa-debug-exit IncludeOS powers the machine off: in its own loop, once one more interrupt has come.
void power_off(IncludeosPlatform& platform, uint8_t code) {
  platform.flush_console_within(kLastLinesNs);
  debug_exit(code);
  Timers::oneshot(std::chrono::milliseconds(1), [](Timers::id_t) {});
  asm volatile("sti");
  os::shutdown();
}

void refuse(IncludeosPlatform& platform, const BadArgument& bad) {
  Telemetry(platform).print_bad_argument(bad);
  power_off(platform, kBadArgument);
}

/// IncludeOS has said why. Without this it would halt, and nobody would know that it is over.
void end_in_panic(const char*) {
  print_raw("\nshoal1 bye reason=panic\n");
  debug_exit(kPanic);
}

void start() {
  os::on_panic(end_in_panic);
  asm volatile("cli");
  static IncludeosPlatform platform;
  static Settings settings;
  BadArgument bad{};
  if (!read_settings(boot_text(), settings, bad)) return refuse(platform, bad);
  if (!settings.link_key.empty()) return refuse(platform, {"shoal.link", settings.link_key, "no-port-shoal.link"});
  if (!has_network_card()) return refuse(platform, {"virtio-net-pci", {}, "no-network-card"});

  const HeapMemory memory = take_heap_memory(settings);
  if (memory.start == nullptr) {
    TextWriter<24> value;
    value.add(settings.payload_max);
    return refuse(platform, {"shoal.max", value.text(), "too-little-memory"});
  }
  static Heap heap;
  heap.open(memory.start, memory.size);
  static Server server(platform, settings, service, heap);
  static TcpStreams streams(server);
  platform.server = &server;
  platform.streams = &streams;
  platform.server_heap_bytes = memory.size;

  net::Inet& inet = net::Interfaces::get(0);
  inet.network_config(settings.bind_address, mask_of(settings.bind_prefix), settings.gateway);
  streams.listen(inet, settings.port);
  wake_for_reports(settings);

  server.start();
  run(platform, server, streams);
  say_goodbye(platform, streams);
  power_off(platform, kCleanStop);
}

}  // namespace
}  // namespace shoal::on_includeos

void Service::start() { shoal::on_includeos::start(); }
