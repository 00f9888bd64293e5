// Shows Avro values as JSON, for people and for comparisons.
#pragma once

#include "serde/avro_schema.h"
#include "serde/avro_value.h"
#include "serde/json_writer.h"

namespace adbrook::serde {

// Plain JSON without names of union branches; bytes and fixed as text, a code point for each byte;
// enums as their symbols. The value must be one of the schema (as decoders and encoders take it).
void write_json(JsonWriter& json, const AvroSchema& schema, const AvroValue& value);

}  // namespace adbrook::serde
