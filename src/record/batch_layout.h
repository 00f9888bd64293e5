// Where each field of a batch's header stands; drawn in docs/formats/record-batch.md. For the files
// of this room that write headers; everybody else reads a BatchHeader.
#pragma once

#include <cstddef>

namespace adbrook::record {

inline constexpr std::size_t kBaseOffsetAt = 0;
inline constexpr std::size_t kLengthAt = 8;
inline constexpr std::size_t kLeaderEpochAt = 12;
inline constexpr std::size_t kMagicAt = 16;
inline constexpr std::size_t kCrcAt = 17;
inline constexpr std::size_t kAttributesAt = 21;
inline constexpr std::size_t kLastOffsetDeltaAt = 23;
inline constexpr std::size_t kBaseTimestampAt = 27;
inline constexpr std::size_t kMaxTimestampAt = 35;
inline constexpr std::size_t kProducerIdAt = 43;
inline constexpr std::size_t kProducerEpochAt = 51;
inline constexpr std::size_t kBaseSequenceAt = 53;
inline constexpr std::size_t kRecordCountAt = 57;

}  // namespace adbrook::record
