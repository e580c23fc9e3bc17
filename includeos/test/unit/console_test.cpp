#include "console_input.h"
#include "console_output.h"

#include <sstream>
#include <string>
#include <vector>

#include "check.h"
#include "test_guest.h"

namespace shoal::test {

TEST("console: lines come whole, however they are cut up, and too long ones not at all") {
  const std::string input = "stop\n\r\nst" + std::string(500, 'x') + "\nstop \rabc\nunfinished";
  for (size_t step = 1; step < 40; step++) {
    ConsoleInput console;
    std::vector<std::string> lines;
    for (size_t at = 0; at < input.size(); at += step) {
      console.feed(std::string_view(input).substr(at, step), [&](std::string_view line) { lines.emplace_back(line); });
    }
    CHECK_EQUAL(lines.size(), size_t{3});
    CHECK_EQUAL(lines[0], std::string("stop"));
    CHECK_EQUAL(lines[1], std::string("stop "));
    CHECK_EQUAL(lines[2], std::string("abc"));
  }
}

TEST("console: what a slow reader leaves waits, whole lines in their order, and what finds no room is dropped whole") {
  ConsoleOutput output;
  std::string taken;
  std::string added;
  size_t dropped = 0;
  for (size_t i = 0; i < 5000; i++) {
    const std::string line = "line " + std::to_string(i) + std::string(i % 97, '.') + "\n";
    if (output.add(line)) {
      added += line;
    } else {
      dropped++;
    }
    // A reader that takes more now and then, and at times nothing at all.
    output.flush([&](const char* bytes, size_t size) {
      const size_t most = i % 50 < 25 ? 0 : i % 100;
      const size_t part = size < most ? size : most;
      taken.append(bytes, part);
      return part;
    });
    CHECK(added.size() - taken.size() <= 16 << 10);
  }
  CHECK(dropped > 0);
  CHECK(!output.empty());
  output.flush([&](const char* bytes, size_t size) {
    taken.append(bytes, size);
    return size;
  });
  CHECK(output.empty());
  CHECK(taken == added);
}

TEST("console: ready, and the first report soon after it, but not before the first requests") {
  TestGuest guest;
  CHECK(guest.platform.console.starts_with("\nshoal1 ready v=1 bind=10.0.2.15/24 addr=127.0.10.1:9000 port=9000 max=65536 idempotent=1 "
                                           "ops=upper,lower,reverse,count,freq,sha256,spin"));
  CHECK(guest.platform.console.find("status") == std::string::npos);
  guest.platform.clock_ns = guest.server->due_ns();
  guest.server->move();
  CHECK(guest.platform.console.find("\n\nshoal1 status seq=1 cpu=100.0 ram=") != std::string::npos);
}

TEST("console: of a service with many operations the ready line names as many as Shoal reads, whole ones, and ends") {
  for (const size_t name_size : {3, 64}) {
    std::vector<std::string> names;
    for (int i = 0; i < 100; i++) names.push_back(std::to_string(100 + i) + std::string(name_size - 3, 'x'));
    std::vector<Operation> operations;
    for (const std::string& name : names) operations.push_back({name, [](const Request&, Reply&) { return true; }});
    const Service many = {operations, true};
    TestGuest guest(64 << 10, 4 << 20, many);
    std::istringstream line(guest.platform.console.substr(1, guest.platform.console.find('\n', 1) - 1));
    std::string name;
    std::getline(line, name, '=');
    while (!name.ends_with("ops")) std::getline(line, name, '=');
    size_t listed = 0;
    for (; std::getline(line, name, ','); listed++) CHECK_EQUAL(name, names[listed]);
    CHECK(name_size == 3 ? listed == 64 : listed > 25 && listed < 32);  // of the long ones as many as fit
  }
}

TEST("console: reports come at the interval and tell the share of time awake") {
  TestGuest guest;
  guest.platform.step_ns = 0;
  guest.platform.clock_ns = guest.server->due_ns();
  guest.server->move();
  guest.platform.console.clear();
  const uint64_t start_ns = guest.platform.clock_ns;
  guest.platform.clock_ns = start_ns + 900'000'000;
  guest.server->move();
  CHECK_EQUAL(guest.platform.console, std::string());
  guest.platform.clock_ns = guest.server->due_ns();
  guest.platform.slept_ns = 750'000'000;
  guest.server->move();
  guest.server->move();
  CHECK_EQUAL(guest.platform.console, std::string("\nshoal1 status seq=2 cpu=25.0 ram=1000000 inflight=0 served=0\n"));
}

TEST("console: what was wrong is told in one bounded line without control characters") {
  TestPlatform platform;
  Telemetry(platform).print_bad_argument({"shoal.port", "a\x1b[31m\n" + std::string(300, 'z'), "not-a-port"});
  CHECK_EQUAL(platform.console, "\nshoal1 bye reason=bad-argument key=shoal.port value=a?[31m?" + std::string(57, 'z') + "... why=not-a-port\n");
}

}  // namespace shoal::test
