#include "settings.h"

#include <string>

#include "check.h"

namespace shoal {
namespace {

constexpr std::string_view kGood =
    "shoal.id=7 shoal.bind=10.0.2.15/24 shoal.gw=10.0.2.2 shoal.port=9000 shoal.addr=127.0.10.1:9001 shoal.status_ms=1000 "
    "shoal.max=1048576 virtio_mmio.device=512@0xfeb00e00:12";

std::string with(std::string_view key, std::string_view value) {
  std::string line(kGood);
  const size_t start = line.find(std::string(key) + "=") + key.size() + 1;
  const size_t end = line.find(' ', start);
  return line.replace(start, end - start, value);
}

void check_bad(std::string_view key, std::string_view value) {
  Settings settings;
  BadArgument bad{};
  const std::string line = with(key, value);
  if (read_settings(line, settings, bad)) {
    check_failed(__FILE__, __LINE__, "taken: " + line);
  }
  CHECK_EQUAL(bad.key, key);
  CHECK_EQUAL(bad.value, value);
}

}  // namespace

TEST("settings: a complete command line") {
  Settings settings;
  BadArgument bad{};
  CHECK(read_settings(kGood, settings, bad));
  CHECK_EQUAL(settings.id, uint64_t{7});
  CHECK_EQUAL(settings.bind, std::string_view("10.0.2.15/24"));
  CHECK_EQUAL(settings.bind_address, uint32_t{0x0f02000a});
  CHECK_EQUAL(settings.bind_prefix, 24u);
  CHECK_EQUAL(settings.gateway, uint32_t{0x0202000a});
  CHECK_EQUAL(settings.port, uint16_t{9000});
  CHECK_EQUAL(settings.address, std::string_view("127.0.10.1:9001"));
  CHECK_EQUAL(settings.status_interval_ms, uint64_t{1000});
  CHECK_EQUAL(settings.payload_max, size_t{1048576});
}

TEST("settings: the first of the missing keys is named") {
  Settings settings;
  BadArgument bad{};
  CHECK(!read_settings("", settings, bad));
  CHECK_EQUAL(bad.key, std::string_view("shoal.id"));
  CHECK_EQUAL(bad.reason, std::string_view("missing"));
  CHECK(!read_settings("shoal.id=1  shoal.idx=3 xshoal.bind=1.2.3.4/5", settings, bad));
  CHECK_EQUAL(bad.key, std::string_view("shoal.bind"));
}

TEST("settings: values that cannot be used are told") {
  for (const char* value : {"", "-1", "x", "9999999999999999999", "99999999999999999999", "1.5"}) check_bad("shoal.id", value);
  for (const char* value : {"", "10.0.2.15", "10.0.2.15/0", "10.0.2.15/33", "10.0.2.256/24", "10.0.2/24", "10.0.2.3.4/24", "0.0.0.0/8"}) {
    check_bad("shoal.bind", value);
  }
  for (const char* value : {"", "10.0.2", "a.b.c.d", "10.0.2.2/24"}) check_bad("shoal.gw", value);
  for (const char* value : {"", "0", "65536", "90o0", "-5"}) check_bad("shoal.port", value);
  for (const char* value : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", ":9000", "localhost:9000"}) check_bad("shoal.addr", value);
  for (const char* value : {"", "0", "9", "3600001"}) check_bad("shoal.status_ms", value);
  for (const char* value : {"", "0", "67107841", "1e6"}) check_bad("shoal.max", value);
}

TEST("settings: with a port for the link there is no network to be told of") {
  constexpr std::string_view kPort = "shoal.id=7 shoal.link=0123456789abcdef shoal.addr=127.0.10.1:9001 shoal.status_ms=1000 shoal.max=1024";
  Settings settings;
  BadArgument bad{};
  CHECK(read_settings(kPort, settings, bad));
  CHECK_EQUAL(settings.link_key, std::string_view("0123456789abcdef"));
  CHECK_EQUAL(settings.port, uint16_t{0});

  CHECK(!read_settings("shoal.id=7 shoal.link=0123456789abcde shoal.addr=127.0.10.1:9001 shoal.status_ms=1000 shoal.max=1024", settings, bad));
  CHECK_EQUAL(bad.key, std::string_view("shoal.link"));
  CHECK_EQUAL(bad.value, std::string_view("0123456789abcde"));
}

}  // namespace shoal
