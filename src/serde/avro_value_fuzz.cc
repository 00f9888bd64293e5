// The first byte chooses a schema to write and one to read; the rest is a value. Invariants:
// - nothing crashes, and the bytes consumed are at most the bytes given;
// - a value read with its own schema, written again, reads back equal, and written once more gives
//   the same bytes;
// - the memory limit holds: a value's nodes and texts are within 4 times the input and 64 KiB.
#include <array>
#include <cstdlib>
#include <cstring>

#include "serde/avro_codec.h"
#include "serde/avro_json.h"

namespace {

using namespace adbrook;
using namespace adbrook::serde;

void require(bool holds) {
  if (!holds) std::abort();
}

constexpr std::array<std::string_view, 8> kSchemas = {
    R"({"type":"record","name":"R","fields":[
        {"name":"a","type":["null","R","int","string"]},
        {"name":"b","type":{"type":"map","values":{"type":"array","items":"R"}}}]})",
    R"({"type":"record","name":"R","fields":[
        {"name":"b","type":{"type":"map","values":{"type":"array","items":"R"}},"default":{}},
        {"name":"z","type":"string","default":"0123456789012345"}]})",
    R"({"type":"array","items":"null"})",
    R"(["null","boolean","int","long","float","double","bytes","string",
        {"type":"fixed","name":"F","size":3},{"type":"enum","name":"E","symbols":["A","B"]}])",
    R"(["string","double",{"type":"enum","name":"E","symbols":["B"],"default":"B"},"null"])",
    R"({"type":"array","items":{"type":"array","items":"long"}})",
    R"({"type":"array","items":{"type":"array","items":"double"}})",
    R"({"type":"record","name":"Z","fields":[]})",
};

const std::shared_ptr<const AvroSchema>& schema_at(std::size_t index) {
  static const auto schemas = [] {
    std::array<std::shared_ptr<const AvroSchema>, kSchemas.size()> parsed;
    for (std::size_t i = 0; i < parsed.size(); ++i) parsed[i] = *AvroSchema::parse(kSchemas[i]);
    return parsed;
  }();
  return schemas[index % kSchemas.size()];
}

std::size_t memory_of(const AvroValue& value) {
  std::size_t memory = sizeof value;
  if (const auto* text = value.get<std::string>()) memory += text->size();
  if (const auto* items = value.get<AvroItems>())
    for (const AvroValue& item : *items) memory += memory_of(item);
  if (const auto* entries = value.get<AvroEntries>())
    for (const AvroEntry& entry : *entries)
      memory += sizeof(std::string) + entry.key.size() + memory_of(entry.value);
  return memory;
}

void check_own(const AvroSchema& schema, const AvroDecoder& decoder, ByteView bytes) {
  AvroReader from(bytes);
  const auto value = decoder.decode_next(from);
  if (!value) return;
  require(from.ok() && from.position() <= bytes.size());
  require(memory_of(*value) <= 4 * bytes.size() + (64 << 10) + sizeof(AvroValue));
  Buffer first;
  require(append_avro(first, schema, *value).has_value());
  const auto again = decoder.decode(first);
  // A number that is none is not equal to itself; its bytes are.
  if (!again) {
    require(again.error().kind == ErrorKind::overloaded);
    return;
  }
  Buffer second;
  require(append_avro(second, schema, *again).has_value());
  require(first == second);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView bytes(reinterpret_cast<const std::byte*>(data) + 1, size - 1);
  const auto& writer = schema_at(data[0] & 7);
  const auto& reader = schema_at(data[0] >> 3 & 7);
  const auto own = AvroDecoder::create(writer);
  check_own(*writer, *own, bytes);
  const auto resolving = AvroDecoder::create(writer, reader);
  if (!resolving) return 0;
  const auto value = resolving->decode(bytes);
  if (!value) return 0;
  Buffer out;
  require(append_avro(out, *reader, *value).has_value());
  std::string text;
  JsonWriter json(text);
  write_json(json, *reader, *value);
  return 0;
}
