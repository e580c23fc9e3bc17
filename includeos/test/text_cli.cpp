// The text service on a pipe, for tests that compare it with JavaScript:  text_cli OPERATION < text > answer
// An error goes to stderr, with exit code 1.
#include <iostream>
#include <iterator>

#include "unit/test_guest.h"

int main(int argc, char** argv) {
  using namespace shoal::test;
  const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
  const size_t payload_max = (64 << 10) + 4 * text.size();
  TestGuest guest(payload_max, (8 << 20) + 8 * payload_max);
  const auto frames = guest.exchange(guest.connect(), request(1, argc > 1 ? argv[1] : "", text));
  if (frames.size() != 1) return 2;
  const bool good = frames[0].type == shoal::FrameType::reply;
  (good ? std::cout : std::cerr) << frames[0].payload;
  return good ? 0 : 1;
}
