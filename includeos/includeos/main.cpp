// The guest on IncludeOS: the platform that the core asks for, and the event loop.
#include <kernel/events.hpp>
#include <hw/cpu.hpp>
#include <net/interfaces>
#include <new>
#include <os>
#include <service>
#include <string>
#include <timers>

#include "boot_text.h"
#include "console.h"
#include "console_input.h"
#include "server.h"
#include "settings.h"
#include "tcp_stream.h"
#include "telemetry.h"

extern char _ELF_START_;
extern char _end;

namespace kernel {
size_t heap_usage() noexcept;  // src/include/kernel.hpp, which is not installed
}

namespace shoal::on_includeos {
namespace {

constexpr uint8_t kCleanStop = 0x21;
constexpr uint8_t kBadArgument = 0x22;

// Input on the console is looked for at every wake-up, and this timer sees to it that there are some.
constexpr auto kWakeInterval = std::chrono::milliseconds(20);

constexpr uint64_t kClosingNs = 2'000'000'000;

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
  uint64_t image_bytes() override { return static_cast<uint64_t>(&_end - &_ELF_START_) + kernel::heap_usage() - server_heap_bytes; }

  bool print(std::string_view text) override {
    os::print(text.data(), text.size());
    return true;
  }

  bool receive() override {
    Events::get(0).process_events();
    char bytes[64];
    while (const size_t size = read_console(bytes, sizeof bytes)) {
      input_.feed({bytes, size}, [this](std::string_view line) {
        if (line == "stop") server->stop();
      });
    }
    return false;
  }

  void transmit() override {}

  /// Interrupts are off but for the sleep itself, so that none falls between the last look and the `hlt`.
  void sleep() {
    const uint64_t before = read_tsc();
    asm volatile("sti; hlt; cli" : : : "memory");
    asleep_tsc_ += read_tsc() - before;
  }

  Server* server = nullptr;
  size_t server_heap_bytes = 0;

 private:
  static uint64_t ns_of(uint64_t ticks) { return static_cast<uint64_t>(static_cast<double>(ticks) * 1e6 / os::cpu_freq().count()); }

  uint64_t tsc_at_start_;
  uint64_t asleep_tsc_ = 0;
  ConsoleInput input_;
};

net::ip4::Addr address_of(uint32_t wire_order) {
  const auto part = [&](unsigned i) { return std::to_string(wire_order >> (8 * i) & 0xff); };
  return net::ip4::Addr(part(0) + "." + part(1) + "." + part(2) + "." + part(3));
}

uint32_t mask_of(unsigned prefix) { return __builtin_bswap32(~uint32_t{0} << (32 - prefix)); }

/// Several of the largest texts, and what the connections hold.
size_t heap_size_for(const Settings& settings) { return 6 * settings.payload_max + (4 << 20); }

void run(IncludeosPlatform& platform, Server& server) {
  asm volatile("cli");
  while (!server.finished()) {
    platform.receive();
    server.work();
    server.move();
    if (!server.busy() && !server.finished()) platform.sleep();
  }
}

void say_goodbye(IncludeosPlatform& platform, TcpStreams& streams) {
  const uint64_t end_ns = platform.now_ns() + kClosingNs;
  while (!streams.close() && platform.now_ns() < end_ns) {
    Events::get(0).process_events();
    platform.sleep();
  }
  Telemetry(platform).print_bye("stop");
}

/// Without isa-debug-exit the machine is powered off; that needs one more interrupt, which the timer brings.
void power_off(uint8_t code) {
  debug_exit(code);
  asm volatile("sti");
  os::shutdown();
}

void start() {
  static IncludeosPlatform platform;
  static Settings settings;
  Timers::periodic(kWakeInterval, [](Timers::id_t) {});

  BadArgument bad{};
  if (!read_settings(boot_text(), settings, bad)) {
    Telemetry(platform).print_bad_argument(bad);
    power_off(kBadArgument);
    return;
  }
  if (!settings.link_key.empty()) {
    Telemetry(platform).print_bad_argument({"shoal.link", settings.link_key, "no-port-shoal.link"});
    power_off(kBadArgument);
    return;
  }

  static Heap heap;
  platform.server_heap_bytes = heap_size_for(settings);
  char* const memory = new (std::nothrow) char[platform.server_heap_bytes];
  if (memory == nullptr) {
    Telemetry(platform).print_bad_argument({"shoal.max", std::to_string(settings.payload_max), "too-little-memory"});
    power_off(kBadArgument);
    return;
  }
  heap.open(memory, platform.server_heap_bytes);
  static Server server(platform, settings, service, heap);
  static TcpStreams streams(server);
  platform.server = &server;

  net::Inet& inet = net::Interfaces::get(0);
  inet.network_config(address_of(settings.bind_address), address_of(mask_of(settings.bind_prefix)), address_of(settings.gateway));
  streams.listen(inet, settings.port);

  server.start();
  run(platform, server);
  say_goodbye(platform, streams);
  power_off(kCleanStop);
}

}  // namespace
}  // namespace shoal::on_includeos

void Service::start() { shoal::on_includeos::start(); }
