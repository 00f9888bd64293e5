// Shows Avro values as JSON, for people and for comparisons.
#pragma once

#include "serde/avro_schema.h"
#include "serde/avro_value.h"
#include "serde/json_writer.h"

namespace adbrook::serde {

struct AvroJsonOptions {
  // A fixed of 16 bytes that is called Uuid, or whose logical type is uuid, as its 36 characters.
  bool uuid_as_text = false;
};

// Plain JSON without names of union branches; bytes and fixed as text, a code point for each byte;
// enums as their symbols. The value must be one of the schema (as decoders and encoders take it).
void write_json(JsonWriter& json, const AvroSchema& schema, const AvroValue& value,
                AvroJsonOptions options = {});

}  // namespace adbrook::serde
