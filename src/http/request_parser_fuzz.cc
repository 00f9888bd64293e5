// Invariants: never crashes; consumed <= given; the same bytes in one piece and cut at a place that
// the first byte names give the same requests and the same refusal; bodies keep their limit.
#include <cstdlib>
#include <string>
#include <vector>

#include "http/request_parser.h"

namespace {

using adbrook::http::RequestParser;

constexpr std::int64_t kBodyMax = 1 << 16;

std::vector<std::string> read_all(const std::vector<std::string_view>& pieces) {
  RequestParser parser({.body = {kBodyMax}});
  std::vector<std::string> seen;
  std::string waiting;
  for (const std::string_view piece : pieces) {
    waiting += piece;
    for (;;) {
      const std::size_t consumed = parser.feed(waiting);
      if (consumed > waiting.size()) std::abort();
      waiting.erase(0, consumed);
      if (parser.state() != RequestParser::State::complete) break;
      auto request = parser.take();
      if (request.body.size() > static_cast<std::size_t>(kBodyMax)) std::abort();
      seen.push_back(request.path + "?" + request.query + " " + request.body);
    }
    if (parser.state() == RequestParser::State::refused) {
      seen.push_back(std::to_string(parser.refusal().problem.status));
      break;
    }
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const std::size_t cut = bytes[0] % text.size();
  if (read_all({text}) != read_all({text.substr(0, cut), text.substr(cut)})) std::abort();
  return 0;
}
