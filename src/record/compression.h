// Whole-buffer compression of a batch's records, framed as Kafka's clients frame it.
// Described in docs/formats/record-batch.md.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"

namespace adbrook::record {

enum class Compression : std::uint8_t { none = 0, gzip = 1, snappy = 2, lz4 = 3, zstd = 4 };

// "gzip" and so on, as in Kafka's `compression.type`.
const char* to_string(Compression compression);

// gzip (also several members), snappy (raw and xerial), lz4 frames, zstd frames. Memory follows
// what really comes out, never what the input claims. corrupt: not the format, or bytes behind its
// end; overloaded: the output would pass `size_max`; unsupported: a codec that Kafka does not know.
Result<Buffer> decompress(Compression compression, ByteView bytes, Bytes size_max);

// Writes raw snappy and independent lz4 blocks, which every Kafka client reads.
Result<Buffer> compress(Compression compression, ByteView bytes);

}  // namespace adbrook::record
