// Where schemas come from: serde asks for an id and gets the schema that a value was written with.
// A value in a topic starts with this id; the header is described in docs/formats/avro.md.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace adbrook::serde {

class AvroSchema;

// Byte 0, then the schema's id, big-endian.
inline constexpr std::size_t kSchemaHeaderSize = 5;
inline constexpr std::int32_t kImpressionSchemaId = 1;
inline constexpr std::int32_t kClickSchemaId = 2;

// The id in front of `value`, or nothing when no such header is there.
inline std::optional<std::int32_t> read_schema_header(ByteView value) {
  if (value.size() < kSchemaHeaderSize || value[0] != std::byte{0}) return std::nullopt;
  return load_be<std::int32_t>(value.data() + 1);
}
// The caller has kSchemaHeaderSize bytes there.
inline void write_schema_header(std::byte* to, std::int32_t id) {
  to[0] = std::byte{0};
  store_be(to + 1, id);
}

// Thread-safe. An interface, because a schema registry is a second source.
class SchemaSource {
 public:
  virtual ~SchemaSource() = default;
  // not_found when nobody knows the id. Shared, because a reader may outlive a schema's place in
  // its source.
  virtual Result<std::shared_ptr<const AvroSchema>> schema(std::int32_t id) const = 0;
};

// The two schemas that every engine has. Immutable.
class BuiltInSchemas : public SchemaSource {
 public:
  // The texts of schemas/impression.avsc and schemas/click.avsc.
  static Result<BuiltInSchemas> parse(std::string_view impression, std::string_view click);

  Result<std::shared_ptr<const AvroSchema>> schema(std::int32_t id) const override;

 private:
  std::map<std::int32_t, std::shared_ptr<const AvroSchema>> schemas_;
};

}  // namespace adbrook::serde
