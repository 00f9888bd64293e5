// Commit records from damaged changelogs: never crashes; what decodes encodes to the same bytes.
#include <cstdlib>
#include <span>

#include "stream/changelog.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace adbrook;
  const ByteView input = std::as_bytes(std::span(bytes, size));
  const auto record = stream::decode_commit_record(input);
  if (!record) return 0;
  Buffer again;
  stream::encode(*record, again);
  const auto decoded = stream::decode_commit_record(again);
  if (!decoded || *decoded != *record || again.size() != size) std::abort();
  return 0;
}
