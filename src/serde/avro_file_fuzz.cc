// Invariants, for any bytes, in any parts:
// - nothing crashes, and reading ends;
// - what is read does not depend on the parts in which the bytes come;
// - values read, written to a new file, are read again in the same number.
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "serde/avro_file.h"

namespace {

using namespace adbrook;
using namespace adbrook::serde;

constexpr std::size_t kValueCountMax = 2000;

void require(bool holds) {
  if (!holds) std::abort();
}

AvroBytesSource source_of(ByteView bytes, std::size_t part_size) {
  return [bytes, part_size](std::span<std::byte> to) mutable -> Result<std::size_t> {
    const std::size_t count = std::min({bytes.size(), to.size(), part_size});
    if (count > 0) std::memcpy(to.data(), bytes.data(), count);
    bytes = bytes.subspan(count);
    return count;
  };
}

struct Outcome {
  std::size_t count = 0;
  std::string error;
  Buffer copy;
};

Outcome read_all(ByteView bytes, std::size_t part_size) {
  AvroFileLimits limits;
  limits.header_size_max = Bytes{1 << 16};
  limits.block_size_max = Bytes{1 << 18};
  Outcome outcome;
  auto reader = AvroFileReader::open(source_of(bytes, part_size), nullptr, limits);
  if (!reader) {
    outcome.error = reader.error().message;
    return outcome;
  }
  // The writer needs a schema of its own that lives as long as it.
  const auto schema = AvroSchema::parse(reader->schema().text());
  require(schema.has_value());
  AvroFileWriter writer(*schema, AvroBlockCodec::deflate, AvroSync{}, Bytes{500});
  AvroValue value;
  while (outcome.count < kValueCountMax) {
    const auto more = reader->next(value);
    if (!more) outcome.error = more.error().message;
    if (!more || !*more) break;
    ++outcome.count;
    require(writer.add(value).has_value());
  }
  outcome.copy = writer.finish();
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(reinterpret_cast<const std::byte*>(data), size);
  const Outcome whole = read_all(bytes, size + 1);
  const Outcome parts = read_all(bytes, 3);
  require(whole.count == parts.count && whole.error == parts.error);
  if (whole.count > 0) {
    const Outcome copied = read_all(whole.copy, size + 1);
    require(copied.count == whole.count || !copied.error.empty());
  }
  return 0;
}
