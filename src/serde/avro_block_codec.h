// Compression of the blocks of Avro files, as the Avro specification frames it: deflate without a
// header, snappy with a CRC-32 behind it, zstandard frames.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace adbrook::serde {

enum class AvroBlockCodec : std::uint8_t { none, deflate, snappy, zstandard };

// The value of a file's "avro.codec"; "null" is none.
std::string_view to_string(AvroBlockCodec codec);
std::optional<AvroBlockCodec> avro_block_codec_named(std::string_view name);

// corrupt: not the format; overloaded: more than `size_max` would come out. Memory follows what
// comes out, not what the block claims.
Result<Buffer> decompress_avro_block(AvroBlockCodec codec, ByteView bytes, Bytes size_max);
Buffer compress_avro_block(AvroBlockCodec codec, ByteView bytes);

}  // namespace adbrook::serde
